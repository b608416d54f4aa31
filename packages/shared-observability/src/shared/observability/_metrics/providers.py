"""Telemetry of the providers a program uses: metrics and events under their names."""

from __future__ import annotations

import enum
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import REGISTRY, CollectorRegistry

from shared.core import checks, forks

from .._base.levels import LEVELS
from .._logging.state import STATE
from .._record.context import Bound
from .metrics import counter, gauge, histogram

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
    """The telemetry of one provider; created by `get_provider_telemetry`.

    Metrics become Prometheus metrics with the label `provider`; events become log lines of the
    logger `provider.NAME` with the field `event`.
    """

    def __init__(self, name: str, registry: CollectorRegistry = REGISTRY) -> None:
        self.name = name
        self._registry = registry
        self._core = STATE.levels.core(f"provider.{name}")
        self._bound = Bound({"provider": name})

    def report_metric(
        self,
        name: str,
        value: float = 1,
        type: MetricType = MetricType.COUNTER,  # noqa: A002 - the name of the contract
        labels: Mapping[str, object] | None = None,
    ) -> None:
        """Report one value.

        Args:
            name: The metric; characters not allowed in a metric name become `_`.
            value: COUNTER adds it, GAUGE is set to it, HISTOGRAM and TIMER (seconds) observe it.
            type: The kind of metric.
            labels: Labels in addition to `provider`; always the same names for one metric.

        Raises:
            ValueError: The metric exists with another type or labels, or a counter would decrease.
            TypeError: The type is not a MetricType.
        """
        kind: object = type
        if not isinstance(kind, MetricType):
            valid = ", ".join(f"MetricType.{kind.name}" for kind in MetricType)
            raise checks.refuse("type", f"one of {valid}", type, TypeError)
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

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._providers: dict[str, ProviderTelemetry] = {}
        self._lock = threading.Lock()
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Replace the lock: its holder does not exist in the child."""
        self._lock = threading.Lock()

    def get(self, name: str) -> ProviderTelemetry:
        """Return the telemetry of a provider; the first call creates it.

        Raises:
            ValueError: The name is empty.
            TypeError: The name is not a string.
        """
        checks.text("name", name, empty=False)
        with self._lock:
            if name not in self._providers:
                self._providers[name] = ProviderTelemetry(name, self._registry)
            return self._providers[name]

    def providers(self) -> list[str]:
        """Return the names of all providers, sorted."""
        with self._lock:
            return sorted(self._providers)


_manager = TelemetryManager()


def get_provider_telemetry(name: str) -> ProviderTelemetry:
    """Return the telemetry of a provider of this process.

    Args:
        name: The provider, such as "postgres".

    Example:
        >>> telemetry = get_provider_telemetry("doc_exchange")
        >>> telemetry.report_metric("doc_ticks_total", 3, MetricType.COUNTER)
        >>> telemetry.info("connected", "feed is up")
    """
    return _manager.get(name)
