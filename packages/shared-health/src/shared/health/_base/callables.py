"""What is called without arguments, by threads of ours."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from shared.core import checks
from shared.core.callables import kind_of

T = TypeVar("T")


def plain(what: str, fn: T, *, arguments: int = 0, is_async: bool = True) -> T:
    """Return a function; a TypeError for what could not run, where it is registered.

    Args:
        what: What it is, for the error.
        fn: The function.
        arguments: The number of positional arguments that it receives.
        is_async: Whether it may be async.
    """
    checks.function(what, fn)
    kind = kind_of(fn)  # type: ignore[arg-type]
    if kind.endswith("generator"):
        raise checks.refuse(what, "a function that returns, not one that yields", fn, TypeError)
    if kind == "async" and not is_async:
        raise checks.refuse(what, "a plain function", fn, TypeError)
    try:
        signature = inspect.signature(fn)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # a function of C
        return fn
    given: list[Any] = [None] * arguments
    try:
        signature.bind(*given)
    except TypeError:
        allowed = f"callable with {arguments or 'no'} arguments"
        raise checks.refuse(what, allowed, fn, TypeError) from None
    return fn
