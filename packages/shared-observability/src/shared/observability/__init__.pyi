from ._configure import (
    LogStats,
    configure_logging,
    flush,
    initialize_logging,
    log_with_context,
    set_log_level,
    setup_logger,
    stats,
)
from ._http.asgi import TelemetryMiddleware
from ._http.wsgi import WSGITelemetryMiddleware
from ._legacy import (
    async_deprecated,
    async_log_calls,
    async_log_exceptions,
    async_timed,
    measure_execution_time,
)
from ._logging.capture import capture_logs
from ._logging.decorators import deprecated, log_calls, log_exceptions
from ._logging.limits import Gate, every, sample
from ._logging.logger import Logger, get_logger
from ._logging.reporter import Emoji, SystemReporter
from ._metrics.aggregate import MetricsAggregator, Summary
from ._metrics.metrics import Counter, Gauge, Histogram, counter, gauge, histogram
from ._metrics.providers import (
    EventLevel,
    MetricType,
    ProviderTelemetry,
    TelemetryManager,
    get_provider_telemetry,
)
from ._metrics.red import red
from ._metrics.server import MetricsServer
from ._metrics.sketch import QuantileSketch
from ._output.queue import QueuePolicy
from ._record.context import bind, correlation, correlation_id, log_context, propagate, unbind
from ._record.executor import ContextThreadPoolExecutor
from ._record.propagation import extract, inject
from ._redaction.sanitizer import Sanitizer
from ._timing.memory import MemoryTracker, MemoryUsage, get_memory_usage, measure_memory
from ._timing.performance import BenchmarkResult, PerformanceTracker, benchmark, performance_tracker
from ._timing.timers import Timer, measure_time, timed
from ._tracing.spans import trace_span
from ._tracing.tracing import Tracer, TracingConfig, setup_tracing

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
