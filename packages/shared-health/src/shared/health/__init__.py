"""Health probes and a status page.

Checks run in their own threads; a probe reads what they found and never waits.

Example:
    >>> from shared.health import Health, HealthServer
    >>> health = Health("orders", "1.4.0")
    >>> health.add("answer", lambda: 6 * 7 == 42)
    >>> server = HealthServer(health, port=0).start_in_background()
    >>> server.stop()
"""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
