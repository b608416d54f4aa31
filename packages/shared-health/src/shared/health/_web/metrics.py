"""Gauges of every check, read when they are collected: no thread, nothing to keep in sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._base.status import HealthStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._run.registry import Registry

_VALUES = {HealthStatus.HEALTHY: 1.0, HealthStatus.DEGRADED: 0.5, HealthStatus.UNHEALTHY: 0.0}

# Name, help, unit, and the value of a check (None: no sample yet).
GAUGES: list[tuple[str, str, str, Callable[[Any], float | None]]] = [
    (
        "health_check_status",
        "1 healthy, 0.5 degraded, 0 unhealthy or no result yet",
        "",
        lambda view: _VALUES[view.status or HealthStatus.UNHEALTHY],
    ),
    (
        "health_check_consecutive_failures",
        "Failures in a row",
        "",
        lambda view: float(view.failures),
    ),
    ("health_check_latency_seconds", "Time of the last run", "s", lambda view: view.latency),
    (
        "health_check_last_success_age_seconds",
        "Time since the last run that passed",
        "s",
        lambda view: view.succeeded_ago,
    ),
]
READY = ("health_ready", "Whether /health/ready answers 200")


def instrument_prometheus(health: Registry, registry: Any) -> None:
    """Register a collector with a registry of prometheus-client."""
    try:
        from prometheus_client.core import GaugeMetricFamily
    except ImportError:
        raise RuntimeError(
            "prometheus-client is not installed: pip install 'shared-health[prometheus]'"
        ) from None

    class Collector:
        def describe(self) -> Iterable[Any]:
            return self._families()[0]

        def collect(self) -> Iterable[Any]:
            families, ready = self._families()
            report = health.report()
            for view in report.checks:
                for family, (_, _, _, value_of) in zip(families, GAUGES, strict=False):
                    if (value := value_of(view)) is not None:
                        family.add_metric([health.service, view.name], value)
            ready.add_metric([health.service], float(health.report("ready").status.ok))
            return families

        def _families(self) -> tuple[list[Any], Any]:
            labels = ["service", "check"]
            families = [GaugeMetricFamily(n, help_, labels=labels) for n, help_, _, _ in GAUGES]
            ready = GaugeMetricFamily(*READY, labels=["service"])
            return [*families, ready], ready

    registry.register(Collector())


def instrument_opentelemetry(health: Registry, provider: Any) -> None:
    """Create observable gauges on a meter provider of OpenTelemetry."""
    try:
        from opentelemetry.metrics import Observation
    except ImportError:
        raise RuntimeError(
            "opentelemetry-api is not installed: pip install 'shared-health[opentelemetry]'"
        ) from None
    meter = provider.get_meter("shared.health")

    def observer(value_of: Callable[[Any], float | None]) -> Callable[[Any], Iterable[Any]]:
        def observe(_options: Any) -> Iterable[Any]:
            for view in health.report().checks:
                if (value := value_of(view)) is not None:
                    labels = {"service": health.service, "check": view.name}
                    yield Observation(value, labels)

        return observe

    for name, help_, unit, value_of in GAUGES:
        meter.create_observable_gauge(
            name, callbacks=[observer(value_of)], unit=unit, description=help_
        )

    def ready(_options: Any) -> Iterable[Any]:
        yield Observation(float(health.report("ready").status.ok), {"service": health.service})

    meter.create_observable_gauge(READY[0], callbacks=[ready], description=READY[1])
