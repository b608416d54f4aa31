"""The default listeners: one for each telemetry library that is installed."""

from __future__ import annotations

import functools
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from shared.core import forks

from .event import Event, Listener, safely

if TYPE_CHECKING:
    from collections.abc import Callable

# What a person should read about. Everything else is counted, not logged; stamina logs retries.
_WARNING, _INFO = 30, 20  # of the standard library's logging, without importing it
_LEVELS = {
    "opened": _WARNING,
    "forced_open": _WARNING,
    "store_failed": _WARNING,
    "budget_exhausted": _WARNING,
    "half_opened": _INFO,
    "closed": _INFO,
    "disabled": _INFO,
    "metrics_only": _INFO,
}


@functools.cache  # once: prometheus-client refuses the same metric twice
def default_listeners() -> tuple[Listener, ...]:
    """Return the listeners for the libraries that are installed."""
    makers: list[Callable[[], Listener]] = [
        structlog_listener if _has("structlog") else logging_listener
    ]
    if _has("prometheus_client"):
        makers.append(prometheus_listener)
    if _has("opentelemetry.trace"):
        makers.append(opentelemetry_listener)
    listeners: list[Listener] = []
    for make in makers:
        safely(lambda make=make: listeners.append(make()))
    return tuple(listeners)


def logging_listener() -> Listener:
    """Log events with the standard library, to the logger `shared.resilience`."""
    import logging

    logger = logging.getLogger("shared.resilience")

    def listen(event: Event) -> None:
        if level := _LEVELS.get(event.kind):
            logger.log(level, "%s %s %s %s", event.policy, event.name, event.kind, event.details)

    return listen


def structlog_listener() -> Listener:
    """Log events with structlog, as `resilience.<policy>.<kind>` with the details as keys."""
    import structlog

    logger = structlog.get_logger("shared.resilience")

    def listen(event: Event) -> None:
        if level := _LEVELS.get(event.kind):
            name = f"resilience.{event.policy}.{event.kind}"
            logger.log(level, name, policy_name=event.name, **event.details)

    return listen


def prometheus_listener(registry: Any = None) -> Listener:
    """Count events with prometheus-client.

    `resilience_events_total{policy,name,event}` counts everything;
    `resilience_breaker_state{name,state}` is 1 for the state a breaker is in, else 0;
    `resilience_limit{policy,name}` is the current limit of an adaptive limiter.

    Args:
        registry: A `CollectorRegistry`; the library's default one if `None`.
    """
    import prometheus_client

    kwargs = {} if registry is None else {"registry": registry}
    events = prometheus_client.Counter(
        "resilience_events",
        "Events of resilience policies",
        ["policy", "name", "event"],
        **kwargs,
    )
    state = prometheus_client.Gauge(
        "resilience_breaker_state",
        "1 for the state that the circuit breaker is in",
        ["name", "state"],
        **kwargs,
    )
    limit = prometheus_client.Gauge(
        "resilience_limit", "Current limit of an adaptive limiter", ["policy", "name"], **kwargs
    )
    states = _Lock()

    def listen(event: Event) -> None:
        events.labels(event.policy, event.name, event.kind).inc()
        if event.policy == "breaker" and "new" in event.details:
            with states.lock:  # two transitions at once must not leave two states at 1
                state.labels(event.name, event.details["old"]).set(0)
                state.labels(event.name, event.details["new"]).set(1)
        elif "limit" in event.details:
            limit.labels(event.policy, event.name).set(event.details["limit"])

    return listen


class _Lock:
    def __init__(self) -> None:
        self.renew_after_fork()
        forks.renew(self)

    def renew_after_fork(self) -> None:
        self.lock = threading.Lock()


def opentelemetry_listener() -> Listener:
    """Add events to the current OpenTelemetry span, as `resilience.<policy>.<kind>`."""
    from opentelemetry import trace

    def listen(event: Event) -> None:
        span = trace.get_current_span()
        if span.is_recording():
            attributes = {f"resilience.{key}": value for key, value in event.details.items()}
            attributes["resilience.name"] = event.name
            span.add_event(f"resilience.{event.policy}.{event.kind}", attributes)

    return listen


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False
