"""Telemetry of the providers that a program talks to: metrics and events under their names."""

from __future__ import annotations

import enum
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import REGISTRY as METRICS
from prometheus_client import CollectorRegistry

from ._context import Bound
from ._metrics import counter, gauge, histogram
from ._state import LEVELS, REGISTRY, STATE

if TYPE_CHECKING:
    from collections.abc import Mapping

_BAD: Final = re.compile(r"[^a-zA-Z0-9_:]")


class MetricType(enum.Enum):
    """The kinds of metrics that a provider reports."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    TIMER = "timer"


class EventLevel(enum.Enum):
    """The levels of events."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class ProviderTelemetry:
    """The telemetry of one provider; made by `get_provider_telemetry`.

    Metrics become Prometheus metrics with the label `provider`; events become log lines of the
    logger `provider.NAME` with the field `event`.
    """

    def __init__(self, name: str, registry: CollectorRegistry = METRICS) -> None:
        self.name = name
        self._registry = registry
        self._core = REGISTRY.core(f"provider.{name}")
        self._bound = Bound({"provider": name})

    def report_metric(
        self,
        name: str,
        value: float = 1,
        type: MetricType = MetricType.COUNTER,  # noqa: A002
        labels: Mapping[str, object] | None = None,
    ) -> None:
        """Report one value.

        Args:
            name: The metric; characters that a metric name may not have become `_`.
            value: COUNTER adds it, GAUGE is set to it, HISTOGRAM and TIMER (seconds) observe it.
            type: The kind of metric.
            labels: Labels besides `provider`; always the same names for one metric.

        Raises:
            ValueError: The metric exists with another type or labels, or a counter would go down.
            TypeError: The type is no MetricType.
        """
        kind: object = type
        if not isinstance(kind, MetricType):
            valid = ", ".join(f"MetricType.{kind.name}" for kind in MetricType)
            raise TypeError(f"type must be one of {valid}, not {type!r}")
        given = dict(labels or {})
        names = ("provider", *sorted(given))
        values = (self.name, *(given[key] for key in names[1:]))
        metric = _BAD.sub("_", name)
        text = f"{name} reported by providers."
        if type is MetricType.COUNTER:
            counter(metric, text, names, registry=self._registry).labels(*values).inc(value)
        elif type is MetricType.GAUGE:
            gauge(metric, text, names, registry=self._registry).labels(*values).set(value)
        else:
            if type is MetricType.TIMER and not metric.endswith("_seconds"):
                metric = f"{metric}_seconds"
            histogram(metric, text, names, registry=self._registry).labels(*values).observe(value)

    def report_event(
        self,
        event: str,
        message: str = "",
        level: EventLevel = EventLevel.INFO,
        **fields: Any,
    ) -> None:
        """Log one event."""
        self._log(level.value, event, message, fields)

    def debug(self, event: str, message: str = "", **fields: Any) -> None:
        """Log an event at DEBUG."""
        self._log("debug", event, message, fields)

    def info(self, event: str, message: str = "", **fields: Any) -> None:
        """Log an event at INFO."""
        self._log("info", event, message, fields)

    def warning(self, event: str, message: str = "", **fields: Any) -> None:
        """Log an event at WARNING."""
        self._log("warning", event, message, fields)

    def error(self, event: str, message: str = "", **fields: Any) -> None:
        """Log an event at ERROR; inside `except`, with the exception."""
        if sys.exc_info()[1] is not None:
            fields.setdefault("exc_info", True)
        self._log("error", event, message, fields)

    def critical(self, event: str, message: str = "", **fields: Any) -> None:
        """Log an event at CRITICAL."""
        self._log("critical", event, message, fields)

    def _log(self, level: str, event: str, message: str, fields: dict[str, Any]) -> None:
        if self._core.level <= LEVELS[level]:
            fields["event"] = event
            frame = sys._getframe(2)  # noqa: SLF001 - the caller of our caller
            STATE.emit(self._core.name, self._bound, level, message or event, (), fields, frame)


class TelemetryManager:
    """The telemetry of all providers.

    Args:
        registry: Where the metrics are registered; prometheus-client's default.

    Example:
        >>> manager = TelemetryManager()
        >>> manager.get("postgres") is manager.get("postgres")
        True
    """

    def __init__(self, registry: CollectorRegistry = METRICS) -> None:
        self._registry = registry
        self._providers: dict[str, ProviderTelemetry] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> ProviderTelemetry:
        """Return the telemetry of a provider, making it the first time.

        Raises:
            ValueError: The name is empty or no string.
        """
        given: object = name
        if not isinstance(given, str) or not given:
            raise ValueError(f"name must be a non-empty string, not {name!r}")
        with self._lock:
            if name not in self._providers:
                self._providers[name] = ProviderTelemetry(name, self._registry)
            return self._providers[name]

    def providers(self) -> list[str]:
        """The names of all providers, sorted."""
        with self._lock:
            return sorted(self._providers)


_manager = TelemetryManager()


def get_provider_telemetry(name: str) -> ProviderTelemetry:
    """Return the telemetry of a provider of this process.

    Args:
        name: The provider, as "postgres".

    Example:
        >>> telemetry = get_provider_telemetry("doc_exchange")
        >>> telemetry.report_metric("doc_ticks_total", 3, MetricType.COUNTER)
        >>> telemetry.info("connected", "feed is up")
    """
    return _manager.get(name)
