"""Ready-made checks: each function returns a callable for `Health.add`.

Example:
    >>> from shared.health import Health, checks
    >>> health = Health("orders")
    >>> health.add("disk", checks.disk("/"), interval=60, critical=False)
    >>> health.add("memory", checks.memory(), interval=60, critical=False)
"""

from __future__ import annotations

from ._ai import ai_provider
from ._host import disk, memory
from ._http import http
from ._stores import clickhouse, postgres, qdrant, redis

__all__ = ["ai_provider", "clickhouse", "disk", "http", "memory", "postgres", "qdrant", "redis"]
