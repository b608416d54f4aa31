"""What the decorators know about a function, its calls, and their ends."""

from __future__ import annotations

import sys
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from shared.core import callables
from shared.core.callables import describe

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


def title(fn: Any) -> str:
    """Return the name of a function for messages: `Class.method`, without its enclosing function."""
    return describe(fn).rpartition(".<locals>.")[2]


def is_failure(error: BaseException | None) -> bool:
    """Whether a call ended in an error: not cancellation, exit or a closed generator."""
    return isinstance(error, Exception)


def wrap(
    fn: Callable[P, T],
    around: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    *,
    stepwise: bool = False,
    by: str = "wrap",
) -> Callable[P, T]:
    """Do what `callables.wrap` does; the call of a plain function that returns a coroutine ends with it.

    Such a function is a lambda, or one that a decorator without `async` has made.
    """

    def make(inner: Any) -> Any:
        if callables.kind_of(inner) != "sync":
            return callables.wrap(inner, around, stepwise=stepwise, by=by)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            context = around(args, kwargs)
            context.__enter__()
            try:
                result = inner(*args, **kwargs)
            except BaseException:
                context.__exit__(*sys.exc_info())
                raise
            if type(result) is CoroutineType:
                if stepwise:
                    context.suspend()
                return _awaited(result, context, stepwise)
            context.__exit__(None, None, None)
            return result

        return wrapped

    return callables.decorate(fn, make, by=by)


async def _awaited(coroutine: Any, context: Any, stepwise: bool) -> Any:
    try:
        if stepwise:
            context.resume()
        try:
            result = await coroutine
        finally:
            if stepwise:
                context.suspend()
    except BaseException:
        context.__exit__(*sys.exc_info())
        raise
    context.__exit__(None, None, None)
    return result
