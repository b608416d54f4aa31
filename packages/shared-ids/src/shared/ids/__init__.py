"""Identifiers that sort by time, fingerprints, slugs, and text that is cut where a reader would."""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
