"""Events of the policies, and who hears them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Event:
    """Something a policy did that is worth counting.

    A call that goes through unhindered makes no event: the hot path stays free.

    Attributes:
        policy: The kind of policy: ``"breaker"``, ``"retry"``, ``"rate_limiter"`` ...
        name: The policy's own name.
        kind: What happened: ``"opened"``, ``"rejected"``, ``"retried"`` ...
        details: Numbers and short texts about it; never a call's arguments.
    """

    policy: str
    name: str
    kind: str
    details: dict[str, Any] = field(default_factory=dict)


Listener: TypeAlias = Callable[[Event], object]

_listeners: tuple[Listener, ...] | None = None


def set_listeners(listeners: list[Listener] | tuple[Listener, ...] | None) -> None:
    """Choose who hears events.

    Args:
        listeners: Callables that take an :class:`Event`. ``None`` goes back to the
            default: metrics, logs and span events through whichever of prometheus-client,
            structlog (else the standard logging) and opentelemetry-api is installed.
            An empty sequence turns telemetry off.

    Example:
        >>> seen = []
        >>> set_listeners([seen.append])
        >>> emit("breaker", "payments", "opened")
        >>> seen[0].kind
        'opened'
        >>> set_listeners(None)
    """
    global _listeners  # noqa: PLW0603  one for the process
    _listeners = None if listeners is None else tuple(listeners)


def get_listeners() -> tuple[Listener, ...]:
    """Return who hears events now, setting up the default ones if need be."""
    global _listeners  # noqa: PLW0603  one for the process
    if _listeners is None:
        from ._listeners import default_listeners

        _listeners = default_listeners()
    return _listeners


def emit(policy: str, name: str, kind: str, **details: Any) -> None:
    """Tell every listener; one that fails is logged and fails nothing else."""
    listeners = _listeners if _listeners is not None else get_listeners()
    if not listeners:
        return
    event = Event(policy, name, kind, details)
    for listener in listeners:
        safely(listener, event)


def safely(hook: Callable[..., object], *args: Any) -> None:
    """Call a hook that may fail without failing the call that it watches."""
    try:
        hook(*args)
    except Exception as exc:  # noqa: BLE001  Ctrl-C goes through
        complain(hook, exc)


def complain(hook: object, exc: Exception) -> None:
    """Log that a hook failed."""
    import logging

    logging.getLogger("shared.resilience").warning("telemetry hook %r failed", hook, exc_info=exc)
