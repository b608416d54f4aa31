"""Settings, secrets, validation reports and feature flags for services."""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
