"""An event, and calling those that listen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .._base.complaints import complain


@dataclass(frozen=True, slots=True)
class Event:
    """Something a policy did that is worth counting.

    A call that goes through unhindered makes no event: the hot path stays free.

    Attributes:
        policy: The kind of policy: `"breaker"`, `"retry"`, `"rate_limiter"` ...
        name: The policy's own name.
        kind: What happened: `"opened"`, `"rejected"`, `"retried"` ...
        details: Numbers and short texts about it; never a call's arguments.
    """

    policy: str
    name: str
    kind: str
    details: dict[str, Any] = field(default_factory=dict)


Listener: TypeAlias = Callable[[Event], object]


def safely(hook: Callable[..., object], *args: Any) -> None:
    """Call a hook that may fail without failing the call that it watches."""
    try:
        hook(*args)
    except Exception as exc:  # noqa: BLE001 - Ctrl-C goes through
        complain("telemetry hook", hook, exc)
