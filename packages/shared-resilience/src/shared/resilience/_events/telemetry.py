"""The listeners of this process, and emitting events to them."""

from __future__ import annotations

import threading
from typing import Any

from shared.core import forks

from .event import Event, Listener, safely

_listeners: tuple[Listener, ...] | None = None
_lock = threading.RLock()  # reentrant: making a listener may emit an event


@forks.after_fork
def _new_lock() -> None:
    global _lock  # noqa: PLW0603 - the parent's may be held there
    _lock = threading.RLock()


def set_listeners(listeners: list[Listener] | tuple[Listener, ...] | None) -> None:
    """Choose what receives the events.

    Args:
        listeners: Callables that accept an `Event`. `None` returns to the default: metrics,
            logs and span events through those of prometheus-client, structlog (else the standard
            logging) and opentelemetry-api that are installed. An empty sequence turns
            telemetry off.

    Example:
        >>> seen = []
        >>> set_listeners([seen.append])
        >>> emit("breaker", "payments", "opened")
        >>> seen[0].kind
        'opened'
        >>> set_listeners(None)
    """
    global _listeners  # noqa: PLW0603 - one for the process
    chosen = None if listeners is None else tuple(listeners)
    with _lock:
        _listeners = chosen


def get_listeners() -> tuple[Listener, ...]:
    """Return the current listeners; the default ones are made if needed."""
    global _listeners  # noqa: PLW0603 - one for the process
    from .listeners import default_listeners

    with _lock:  # two threads must not make the same metrics, nor undo a choice made meanwhile
        if _listeners is None:
            _listeners = default_listeners()
        return _listeners


def emit(policy: str, name: str, kind: str, **details: Any) -> None:
    """Pass an event to every listener; one that fails is logged and fails nothing else."""
    listeners = _listeners if _listeners is not None else get_listeners()
    if not listeners:
        return
    event = Event(policy, name, kind, details)
    for listener in listeners:
        safely(listener, event)
