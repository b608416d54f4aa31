"""Logs, metrics, tracing, timers and a reporter for services.

Nothing heavy is imported until it is used: each name loads its module on first access.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._clean import Sanitizer as Sanitizer
    from ._configure import LogStats as LogStats
    from ._configure import configure_logging as configure_logging
    from ._configure import flush as flush
    from ._configure import initialize_logging as initialize_logging
    from ._configure import log_with_context as log_with_context
    from ._configure import set_log_level as set_log_level
    from ._configure import setup_logger as setup_logger
    from ._configure import stats as stats
    from ._context import bind as bind
    from ._context import correlation as correlation
    from ._context import correlation_id as correlation_id
    from ._context import log_context as log_context
    from ._context import propagate as propagate
    from ._context import unbind as unbind
    from ._executor import ContextThreadPoolExecutor as ContextThreadPoolExecutor
    from ._logger import Logger as Logger
    from ._logger import get_logger as get_logger
    from ._metrics import Counter as Counter
    from ._metrics import Gauge as Gauge
    from ._metrics import Histogram as Histogram
    from ._metrics import counter as counter
    from ._metrics import gauge as gauge
    from ._metrics import histogram as histogram
    from ._queue import QueuePolicy as QueuePolicy
    from ._reporter import Emoji as Emoji
    from ._reporter import SystemReporter as SystemReporter
    from ._server import MetricsServer as MetricsServer
    from ._spans import trace_span as trace_span
    from ._tracing import Tracer as Tracer
    from ._tracing import TracingConfig as TracingConfig
    from ._tracing import setup_tracing as setup_tracing

__all__ = [
    "ContextThreadPoolExecutor",
    "Counter",
    "Emoji",
    "Gauge",
    "Histogram",
    "LogStats",
    "Logger",
    "MetricsServer",
    "QueuePolicy",
    "Sanitizer",
    "SystemReporter",
    "Tracer",
    "TracingConfig",
    "bind",
    "configure_logging",
    "correlation",
    "correlation_id",
    "counter",
    "flush",
    "gauge",
    "get_logger",
    "histogram",
    "initialize_logging",
    "log_context",
    "log_with_context",
    "propagate",
    "set_log_level",
    "setup_logger",
    "setup_tracing",
    "stats",
    "trace_span",
    "unbind",
]

_HOMES = {
    "ContextThreadPoolExecutor": "_executor",
    "Counter": "_metrics",
    "Emoji": "_reporter",
    "Gauge": "_metrics",
    "Histogram": "_metrics",
    "LogStats": "_configure",
    "Logger": "_logger",
    "MetricsServer": "_server",
    "QueuePolicy": "_queue",
    "Sanitizer": "_clean",
    "SystemReporter": "_reporter",
    "Tracer": "_tracing",
    "TracingConfig": "_tracing",
    "bind": "_context",
    "configure_logging": "_configure",
    "correlation": "_context",
    "correlation_id": "_context",
    "counter": "_metrics",
    "flush": "_configure",
    "gauge": "_metrics",
    "get_logger": "_logger",
    "histogram": "_metrics",
    "initialize_logging": "_configure",
    "log_context": "_context",
    "log_with_context": "_configure",
    "propagate": "_context",
    "set_log_level": "_configure",
    "setup_logger": "_configure",
    "setup_tracing": "_tracing",
    "stats": "_configure",
    "trace_span": "_spans",
    "unbind": "_context",
}


def __getattr__(name: str) -> object:
    """Load the module of a public name on first access."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
