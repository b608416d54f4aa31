"""The ground floor of the shared packages: what would be a bug if two of them did it differently.

Standard library only; no policy, no input or output, no telemetry.
"""

from .faces import face

__getattr__, __dir__, __all__ = face(__name__)
