"""Technical indicators: batch, panel and streaming, and chart patterns."""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
