"""Ready-made checks: each function returns a callable for `Health.add`.

Example:
    >>> from shared.health import Health, checks
    >>> health = Health("orders")
    >>> health.add("disk", checks.disk("/"), interval=60, critical=False)
    >>> health.add("memory", checks.memory(), interval=60, critical=False)
"""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
