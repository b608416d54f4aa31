"""One wrapper for four kinds of function: plain, coroutine, generator, async generator."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")


class Around(Protocol):
    """What happens around one call: a context manager without suppression."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Any: ...


def wrap(
    fn: Callable[P, T],
    around: Callable[[tuple[Any, ...], dict[str, Any]], Around],
    *,
    stepwise: bool = False,
) -> Callable[P, T]:
    """Wrap a function so that every call runs inside `around(args, kwargs)`.

    Args:
        fn: Any of the four kinds. A generator counts as running from its first step to its end.
        around: Makes the context of one call.
        stepwise: The context has `resume()` and `suspend()`, called around each step of a
            generator: between steps the caller runs, in a context of its own.

    Returns:
        A function of the same kind, name and signature.
    """
    if inspect.isasyncgenfunction(fn):
        wrapped: Any = _async_generator(fn, around, stepwise=stepwise)
    elif inspect.iscoroutinefunction(fn):
        wrapped = _coroutine(fn, around)
    elif inspect.isgeneratorfunction(fn):
        wrapped = _generator(fn, around, stepwise=stepwise)
    else:
        wrapped = _function(fn, around)
    return cast("Callable[P, T]", wrapped)


def _function(fn: Any, around: Any) -> Any:
    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs):
            return fn(*args, **kwargs)

    return wrapped


def _coroutine(fn: Any, around: Any) -> Any:
    @functools.wraps(fn)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs):
            return await fn(*args, **kwargs)

    return wrapped


def _generator(fn: Any, around: Any, *, stepwise: bool) -> Any:
    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        context = around(args, kwargs)
        with context:
            if not stepwise:
                return (yield from fn(*args, **kwargs))
            context.suspend()
            inner = fn(*args, **kwargs)
            sent: Any = None
            thrown: BaseException | None = None
            while True:
                context.resume()
                try:
                    item = inner.send(sent) if thrown is None else inner.throw(thrown)
                except StopIteration as stop:
                    return stop.value
                finally:
                    context.suspend()
                sent = thrown = None
                try:
                    sent = yield item
                except GeneratorExit:
                    context.resume()
                    try:
                        inner.close()
                    finally:
                        context.suspend()
                    raise
                except BaseException as error:  # noqa: BLE001 - the inner generator decides
                    thrown = error

    return wrapped


def _async_generator(fn: Any, around: Any, *, stepwise: bool) -> Any:
    @functools.wraps(fn)
    async def wrapped(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        context = around(args, kwargs)
        with context:
            if stepwise:
                context.suspend()
            inner = fn(*args, **kwargs)
            sent: Any = None
            thrown: BaseException | None = None
            while True:
                if stepwise:
                    context.resume()
                try:
                    item = await (inner.asend(sent) if thrown is None else inner.athrow(thrown))
                except StopAsyncIteration:
                    return
                finally:
                    if stepwise:
                        context.suspend()
                sent = thrown = None
                try:
                    sent = yield item
                except GeneratorExit:
                    if stepwise:
                        context.resume()
                    try:
                        await inner.aclose()
                    finally:
                        if stepwise:
                            context.suspend()
                    raise
                except BaseException as error:  # noqa: BLE001 - the inner generator decides
                    thrown = error

    return wrapped


def is_failure(error: BaseException | None) -> bool:
    """Whether the end of a call is an error: not cancellation, exit or a closed generator."""
    return isinstance(error, Exception)
