from . import checks as checks
from ._base.status import CheckResult, HealthCheck, HealthStatus
from ._health import Health
from ._run.registry import Report
from ._run.state import CheckView
from ._run.vitals import EventLoopLag, Heartbeat
from ._serve.server import HealthServer

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
