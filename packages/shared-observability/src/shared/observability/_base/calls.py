"""What the decorators know about a function and the end of a call."""

from __future__ import annotations

from typing import Any

from shared.core.callables import describe


def title(fn: Any) -> str:
    """Return the name of a function for messages: `Class.method`, without its enclosing function."""
    return describe(fn).rpartition(".<locals>.")[2]


def is_failure(error: BaseException | None) -> bool:
    """Whether a call ended in an error: not cancellation, exit or a closed generator."""
    return isinstance(error, Exception)
