"""Gauges of every check, read when they are collected: no thread, nothing to keep in sync."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

from shared.core.forks import after_fork

from .._base.status import HealthStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._run.registry import Registry
    from .._run.state import CheckView

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


_lock = threading.Lock()


@after_fork
def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()


class Published:
    """Every `Health` of one registry or provider, as long as it lives.

    If two have a service and a check in common, the one added last counts.
    """

    def __init__(self) -> None:
        self._healths: list[weakref.ref[Registry]] = []

    def add(self, health: Registry) -> None:
        """Add one; harmless if it is there."""
        if health not in self._alive():
            self._healths.append(weakref.ref(health))

    def _alive(self) -> list[Registry]:
        return [health for ref in list(self._healths) if (health := ref()) is not None]

    def views(self) -> Iterable[tuple[str, CheckView]]:
        """Return each service with each of its checks."""
        found = {}
        for health in self._alive():
            for view in health.report().checks:
                found[health.service, view.name] = view
        return [(service, view) for (service, _), view in found.items()]

    def ready(self) -> Iterable[tuple[str, float]]:
        """Return each service, and 1 if all that bear its name are ready."""
        found: dict[str, float] = {}
        for health in self._alive():
            good = float(health.report("ready").status.ok)
            found[health.service] = min(good, found.get(health.service, 1.0))
        return found.items()


# One entry each: two collectors or instruments with the same names are refused or lost.
_published: weakref.WeakKeyDictionary[Any, Published] = weakref.WeakKeyDictionary()


def _publish(health: Registry, where: Any, begin: Callable[[Published], None]) -> None:
    with _lock:
        published = _published.get(where)
        if published is None:
            published = Published()
            begin(published)
            _published[where] = published
        published.add(health)


def instrument_prometheus(health: Registry, registry: Any) -> None:
    """Register a collector with a registry of prometheus-client, once for every `Health`."""
    try:
        from prometheus_client.core import GaugeMetricFamily
    except ImportError:
        raise RuntimeError(
            "prometheus-client is not installed: pip install 'shared-health[prometheus]'"
        ) from None

    class Collector:
        def __init__(self, published: Published) -> None:
            self._published = published

        def describe(self) -> Iterable[Any]:
            return self._families()[0]

        def collect(self) -> Iterable[Any]:
            families, ready = self._families()
            for service, view in self._published.views():
                for family, (_, _, _, value_of) in zip(families, GAUGES, strict=False):
                    if (value := value_of(view)) is not None:
                        family.add_metric([service, view.name], value)
            for service, value in self._published.ready():
                ready.add_metric([service], value)
            return families

        def _families(self) -> tuple[list[Any], Any]:
            labels = ["service", "check"]
            families = [GaugeMetricFamily(n, help_, labels=labels) for n, help_, _, _ in GAUGES]
            ready = GaugeMetricFamily(*READY, labels=["service"])
            return [*families, ready], ready

    _publish(health, registry, lambda published: registry.register(Collector(published)))


def instrument_opentelemetry(health: Registry, provider: Any) -> None:
    """Create observable gauges on a meter provider of OpenTelemetry, once for every `Health`."""
    try:
        from opentelemetry.metrics import Observation
    except ImportError:
        raise RuntimeError(
            "opentelemetry-api is not installed: pip install 'shared-health[opentelemetry]'"
        ) from None

    def begin(published: Published) -> None:
        meter = provider.get_meter("shared.health")

        def observer(value_of: Callable[[Any], float | None]) -> Callable[[Any], Iterable[Any]]:
            def observe(_options: Any) -> Iterable[Any]:
                for service, view in published.views():
                    if (value := value_of(view)) is not None:
                        yield Observation(value, {"service": service, "check": view.name})

            return observe

        for name, help_, unit, value_of in GAUGES:
            meter.create_observable_gauge(
                name, callbacks=[observer(value_of)], unit=unit, description=help_
            )

        def ready(_options: Any) -> Iterable[Any]:
            for service, value in published.ready():
                yield Observation(value, {"service": service})

        meter.create_observable_gauge(READY[0], callbacks=[ready], description=READY[1])

    _publish(health, provider, begin)
