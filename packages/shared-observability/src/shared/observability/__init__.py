"""Logs, metrics, tracing, timers and a reporter for services.

Nothing heavy is imported until it is used: each name loads its module on first access.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._aggregate import MetricsAggregator as MetricsAggregator
    from ._aggregate import Summary as Summary
    from ._asgi import TelemetryMiddleware as TelemetryMiddleware
    from ._capture import capture_logs as capture_logs
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
    from ._decorators import async_deprecated as async_deprecated
    from ._decorators import async_log_calls as async_log_calls
    from ._decorators import async_log_exceptions as async_log_exceptions
    from ._decorators import deprecated as deprecated
    from ._decorators import log_calls as log_calls
    from ._decorators import log_exceptions as log_exceptions
    from ._executor import ContextThreadPoolExecutor as ContextThreadPoolExecutor
    from ._limits import Gate as Gate
    from ._limits import every as every
    from ._limits import sample as sample
    from ._logger import Logger as Logger
    from ._logger import get_logger as get_logger
    from ._memory import MemoryTracker as MemoryTracker
    from ._memory import MemoryUsage as MemoryUsage
    from ._memory import get_memory_usage as get_memory_usage
    from ._memory import measure_memory as measure_memory
    from ._metrics import Counter as Counter
    from ._metrics import Gauge as Gauge
    from ._metrics import Histogram as Histogram
    from ._metrics import counter as counter
    from ._metrics import gauge as gauge
    from ._metrics import histogram as histogram
    from ._performance import BenchmarkResult as BenchmarkResult
    from ._performance import PerformanceTracker as PerformanceTracker
    from ._performance import benchmark as benchmark
    from ._performance import performance_tracker as performance_tracker
    from ._propagation import extract as extract
    from ._propagation import inject as inject
    from ._queue import QueuePolicy as QueuePolicy
    from ._red import red as red
    from ._reporter import Emoji as Emoji
    from ._reporter import SystemReporter as SystemReporter
    from ._server import MetricsServer as MetricsServer
    from ._sketch import QuantileSketch as QuantileSketch
    from ._spans import trace_span as trace_span
    from ._telemetry import EventLevel as EventLevel
    from ._telemetry import MetricType as MetricType
    from ._telemetry import ProviderTelemetry as ProviderTelemetry
    from ._telemetry import TelemetryManager as TelemetryManager
    from ._telemetry import get_provider_telemetry as get_provider_telemetry
    from ._timers import Timer as Timer
    from ._timers import async_timed as async_timed
    from ._timers import measure_execution_time as measure_execution_time
    from ._timers import measure_time as measure_time
    from ._timers import timed as timed
    from ._tracing import Tracer as Tracer
    from ._tracing import TracingConfig as TracingConfig
    from ._tracing import setup_tracing as setup_tracing
    from ._wsgi import WSGITelemetryMiddleware as WSGITelemetryMiddleware

__all__ = [
    "BenchmarkResult",
    "ContextThreadPoolExecutor",
    "Counter",
    "Emoji",
    "EventLevel",
    "Gate",
    "Gauge",
    "Histogram",
    "LogStats",
    "Logger",
    "MemoryTracker",
    "MemoryUsage",
    "MetricType",
    "MetricsAggregator",
    "MetricsServer",
    "PerformanceTracker",
    "ProviderTelemetry",
    "QuantileSketch",
    "QueuePolicy",
    "Sanitizer",
    "Summary",
    "SystemReporter",
    "TelemetryManager",
    "TelemetryMiddleware",
    "Timer",
    "Tracer",
    "TracingConfig",
    "WSGITelemetryMiddleware",
    "async_deprecated",
    "async_log_calls",
    "async_log_exceptions",
    "async_timed",
    "benchmark",
    "bind",
    "capture_logs",
    "configure_logging",
    "correlation",
    "correlation_id",
    "counter",
    "deprecated",
    "every",
    "extract",
    "flush",
    "gauge",
    "get_logger",
    "get_memory_usage",
    "get_provider_telemetry",
    "histogram",
    "initialize_logging",
    "inject",
    "log_calls",
    "log_context",
    "log_exceptions",
    "log_with_context",
    "measure_execution_time",
    "measure_memory",
    "measure_time",
    "performance_tracker",
    "propagate",
    "red",
    "sample",
    "set_log_level",
    "setup_logger",
    "setup_tracing",
    "stats",
    "timed",
    "trace_span",
    "unbind",
]

_HOMES = {
    "BenchmarkResult": "_performance",
    "ContextThreadPoolExecutor": "_executor",
    "Counter": "_metrics",
    "Emoji": "_reporter",
    "EventLevel": "_telemetry",
    "Gate": "_limits",
    "Gauge": "_metrics",
    "Histogram": "_metrics",
    "LogStats": "_configure",
    "Logger": "_logger",
    "MemoryTracker": "_memory",
    "MemoryUsage": "_memory",
    "MetricType": "_telemetry",
    "MetricsAggregator": "_aggregate",
    "MetricsServer": "_server",
    "PerformanceTracker": "_performance",
    "ProviderTelemetry": "_telemetry",
    "QuantileSketch": "_sketch",
    "QueuePolicy": "_queue",
    "Sanitizer": "_clean",
    "Summary": "_aggregate",
    "SystemReporter": "_reporter",
    "TelemetryManager": "_telemetry",
    "TelemetryMiddleware": "_asgi",
    "Timer": "_timers",
    "Tracer": "_tracing",
    "TracingConfig": "_tracing",
    "WSGITelemetryMiddleware": "_wsgi",
    "async_deprecated": "_decorators",
    "async_log_calls": "_decorators",
    "async_log_exceptions": "_decorators",
    "async_timed": "_timers",
    "benchmark": "_performance",
    "bind": "_context",
    "capture_logs": "_capture",
    "configure_logging": "_configure",
    "correlation": "_context",
    "correlation_id": "_context",
    "counter": "_metrics",
    "deprecated": "_decorators",
    "every": "_limits",
    "extract": "_propagation",
    "flush": "_configure",
    "gauge": "_metrics",
    "get_logger": "_logger",
    "get_memory_usage": "_memory",
    "get_provider_telemetry": "_telemetry",
    "histogram": "_metrics",
    "initialize_logging": "_configure",
    "inject": "_propagation",
    "log_calls": "_decorators",
    "log_context": "_context",
    "log_exceptions": "_decorators",
    "log_with_context": "_configure",
    "measure_execution_time": "_timers",
    "measure_memory": "_memory",
    "measure_time": "_timers",
    "performance_tracker": "_performance",
    "propagate": "_context",
    "red": "_red",
    "sample": "_limits",
    "set_log_level": "_configure",
    "setup_logger": "_configure",
    "setup_tracing": "_tracing",
    "stats": "_configure",
    "timed": "_timers",
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
