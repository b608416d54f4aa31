"""Graceful shutdown and resource pools.

Example:
    >>> from shared.lifecycle import GracefulShutdown
    >>> shutdown = GracefulShutdown(drain_delay=0)
    >>> @shutdown.on_shutdown
    ... def close():
    ...     print("closed")
    >>> shutdown.trigger()
    >>> report = shutdown.join()
    closed
    >>> report.exit_code
    0
"""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
