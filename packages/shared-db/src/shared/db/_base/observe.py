"""Observers of calls and pools, which know Prometheus or OpenTelemetry."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import time
from typing import TYPE_CHECKING, Any, Protocol

from shared.core.checks import refuse

from .errors import DriverMissing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KEYWORD = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*[\s(]*([A-Za-z]+)", re.DOTALL)
# Their names in OpenTelemetry's conventions for databases.
SYSTEMS = {
    "postgres": "postgresql",
    "clickhouse": "clickhouse",
    "qdrant": "qdrant",
    "redis": "redis",
}


class Observer(Protocol):
    """Sees the calls of a store."""

    def call(self, store: Any, operation: str) -> contextlib.AbstractContextManager[Any]:
        """Return a context manager around one call, which sees its error."""
        ...

    def add(self, store: Any) -> None:
        """Watch a store from now on."""
        ...


def keyword(query: object) -> str:
    r"""Return the statement's first word in capitals: what it does, without any of its values.

    Example:
        >>> keyword("  -- note\n select 'secret'")
        'SELECT'
    """
    found = _KEYWORD.match(query) if isinstance(query, str) else None
    return found[1].upper() if found else "QUERY"


@contextlib.contextmanager
def observed(store: Any, operation: str) -> Iterator[None]:
    """Show one call to the store's observers."""
    observers: Sequence[Observer] = store.observers
    with contextlib.ExitStack() as stack:
        for observer in observers:
            stack.enter_context(observer.call(store, operation))
        yield


class PrometheusObserver:
    """Metrics of calls and pools in a registry of prometheus-client."""

    def __init__(self, registry: Any) -> None:
        try:
            from prometheus_client import Histogram
        except ImportError:
            raise DriverMissing("prometheus", "prometheus-client") from None

        self._stores: list[Any] = []
        self._seconds = Histogram(
            "shared_db_operation_seconds",
            "How long calls to a store took",
            ["store", "name", "operation", "outcome"],
            registry=registry,
            buckets=(
                0.0005,
                0.001,
                0.0025,
                0.005,
                0.01,
                0.025,
                0.05,
                0.1,
                0.25,
                0.5,
                1,
                2.5,
                5,
                10,
            ),
        )
        registry.register(self)

    def add(self, store: Any) -> None:
        """Watch a store from now on."""
        self._stores.append(store)

    @contextlib.contextmanager
    def call(self, store: Any, operation: str) -> Iterator[None]:
        """Time one call."""
        started = time.perf_counter()
        outcome = "ok"
        try:
            yield
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            labels = self._seconds.labels(store.store, store.name, operation, outcome)
            labels.observe(time.perf_counter() - started)

    def collect(self) -> Iterator[Any]:
        """Yield the pools' current figures, for the registry."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        labels = ["store", "name"]
        state = GaugeMetricFamily(
            "shared_db_connections", "Connections by state", labels=[*labels, "state"]
        )
        most = GaugeMetricFamily(
            "shared_db_connections_max", "The most connections allowed", labels=labels
        )
        waiting = GaugeMetricFamily(
            "shared_db_waiting", "Callers that wait for a connection", labels=labels
        )
        counted = {
            key: CounterMetricFamily(f"shared_db_connections_{key}", text, labels=labels)
            for key, text in (
                ("opened", "Connections opened"),
                ("lost", "Connections that the server had hung up on"),
                ("exhausted", "Checkouts that found no free connection in time"),
                ("leaked", "Connections that were never returned"),
            )
        }
        for store in self._stores:
            figures = store.snapshot()
            where = [store.store, store.name]
            for key in ("idle", "in_use"):
                if key in figures:
                    state.add_metric([*where, key], figures[key])
            if "max" in figures:
                most.add_metric(where, figures["max"])
            if "waiting" in figures:
                waiting.add_metric(where, figures["waiting"])
            for key, family in counted.items():
                if key in figures:
                    family.add_metric(where, figures[key])
        yield from (state, most, waiting, *counted.values())


class OpenTelemetryObserver:
    """Spans and metrics in OpenTelemetry's conventions for database clients."""

    def __init__(self, provider: Any) -> None:
        if importlib.util.find_spec("opentelemetry") is None:
            raise DriverMissing("opentelemetry", "opentelemetry-api")
        providers = provider if isinstance(provider, (list, tuple)) else [provider]
        if provider is True:
            from opentelemetry import metrics, trace

            providers = [trace.get_tracer_provider(), metrics.get_meter_provider()]
        self._stores: list[Any] = []
        self._tracer: Any = None
        self._duration: Any = None
        for one in providers:
            known = False
            if hasattr(one, "get_tracer"):
                self._tracer, known = one.get_tracer("shared.db"), True
            if hasattr(one, "get_meter"):
                self._measure(one.get_meter("shared.db"))
                known = True
            if not known:
                allowed = "a TracerProvider, a MeterProvider, a list of both, or True"
                raise refuse("opentelemetry", allowed, type(one), TypeError)

    def _measure(self, meter: Any) -> None:
        self._duration = meter.create_histogram(
            "db.client.operation.duration",
            unit="s",
            description="Duration of database client operations.",
        )
        meter.create_observable_up_down_counter(
            "db.client.connection.count",
            [lambda _options: self._connections()],
            unit="{connection}",
            description="The number of connections that are currently in state described by the state attribute.",
        )
        for name, key in (
            ("db.client.connection.max", "max"),
            ("db.client.connection.idle.min", "min"),
            ("db.client.connection.pending_requests", "waiting"),
        ):
            meter.create_observable_up_down_counter(name, [self._figure(key)], unit="{connection}")
        meter.create_observable_counter(
            "db.client.connection.timeouts", [self._figure("exhausted")], unit="{timeout}"
        )

    def _connections(self) -> Iterator[Any]:
        from opentelemetry.metrics import Observation

        for store in self._stores:
            figures = store.snapshot()
            for key, state in (("idle", "idle"), ("in_use", "used")):
                if key in figures:
                    pool = {
                        "db.client.connection.pool.name": _pool(store),
                        "db.client.connection.state": state,
                    }
                    yield Observation(figures[key], pool)

    def _figure(self, key: str) -> Any:
        from opentelemetry.metrics import Observation

        def read(_options: Any) -> Iterator[Any]:
            for store in self._stores:
                figures = store.snapshot()
                if key in figures:
                    yield Observation(
                        figures[key], {"db.client.connection.pool.name": _pool(store)}
                    )

        return read

    def add(self, store: Any) -> None:
        """Watch a store from now on."""
        self._stores.append(store)

    @contextlib.contextmanager
    def call(self, store: Any, operation: str) -> Iterator[None]:
        """Record a span and a duration for one call."""
        attributes: dict[str, Any] = {
            "db.system.name": SYSTEMS[store.store],
            "db.operation.name": operation,
        }
        if namespace := str(getattr(store, "database", "")):
            attributes["db.namespace"] = namespace
        if store.host:
            attributes["server.address"] = store.host
            attributes["server.port"] = store.port
        started = time.perf_counter()
        with contextlib.ExitStack() as stack:
            span = None
            if self._tracer is not None:
                span = stack.enter_context(self._span(operation, namespace, attributes))
            try:
                yield
            except BaseException as error:
                attributes = attributes | {"error.type": type(error).__name__}
                if span is not None:
                    self._failed(span, error)
                raise
            finally:
                if self._duration is not None:
                    self._duration.record(time.perf_counter() - started, attributes)

    def _span(self, operation: str, namespace: str, attributes: dict[str, Any]) -> Any:
        from opentelemetry.trace import SpanKind

        return self._tracer.start_as_current_span(
            f"{operation} {namespace}".strip(),
            kind=SpanKind.CLIENT,
            attributes=attributes,
            # The message of a driver's error may quote values: only its type is shown.
            record_exception=False,
            set_status_on_exception=False,
        )

    @staticmethod
    def _failed(span: Any, error: BaseException) -> None:
        from opentelemetry.trace import StatusCode

        span.set_attribute("error.type", type(error).__name__)
        state = getattr(error, "sqlstate", None)
        if state:
            span.set_attribute("db.response.status_code", state)
        span.set_status(StatusCode.ERROR)


def _pool(store: Any) -> str:
    return f"{store.store}/{store.name}"
