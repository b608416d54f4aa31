"""Logs, metrics, tracing, timers and a reporter for services.

Importing the package loads nothing else: each name loads its module when it is first used.
"""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
