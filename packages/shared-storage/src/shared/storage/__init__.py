"""Keep objects whole, in memory, files and object stores."""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
