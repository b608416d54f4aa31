"""Health probes and a status page.

Checks run in threads of their own; a probe reads what they found and never waits.

Example:
    >>> from shared.health import Health, HealthServer
    >>> health = Health("orders", "1.4.0")
    >>> health.add("answer", lambda: 6 * 7 == 42)
    >>> server = HealthServer(health, port=0).start_in_background()
    >>> server.stop()
"""

from typing import TYPE_CHECKING, Any

from ._health import Health, Report
from ._state import CheckView
from ._status import CheckResult, HealthCheck, HealthStatus
from ._vitals import EventLoopLag, Heartbeat

if TYPE_CHECKING:
    from . import checks
    from ._server import HealthServer

__all__ = [
    "CheckResult",
    "CheckView",
    "EventLoopLag",
    "Health",
    "HealthCheck",
    "HealthServer",
    "HealthStatus",
    "Heartbeat",
    "Report",
    "checks",
]


def __getattr__(name: str) -> Any:
    # uvicorn and asyncio load when a server is wanted; `probe` and workers need neither.
    if name == "HealthServer":
        from ._server import HealthServer

        return HealthServer
    if name == "checks":
        from importlib import import_module

        return import_module(f"{__name__}.checks")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
