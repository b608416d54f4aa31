"""Kinds of callables, and wrappers of the same kind.

A decorator must know before the first call what it has; `kind_of` decides that for all packages.
"""

from __future__ import annotations

import functools
import sys
from contextlib import contextmanager, nullcontext
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast

from .checks import shown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

Kind = Literal["sync", "async", "generator", "async_generator"]

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any]")

_PARTIAL = (functools.partial, functools.partialmethod, functools.singledispatchmethod)
_METHOD = (classmethod, staticmethod, MethodType)
_CACHE = type(functools.cache(len))
_MARKS = (("_is_coroutine_marker", "inspect"), ("_is_coroutine", "asyncio.coroutines"))
_GENERATOR, _COROUTINE, _ITERABLE_COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x100, 0x200  # co_flags


def kind_of(fn: Callable[..., Any]) -> Kind:
    """Return "sync", "async", "generator" or "async_generator".

    Looks through partials, methods, class and static methods, caches and single dispatch, at
    `__call__` of objects, and at the marks of `inspect.markcoroutinefunction` and `AsyncMock`.
    A plain function that returns an awaitable is "sync": its result tells, not its kind.

    Example:
        >>> async def fetch(): ...
        >>> kind_of(functools.partial(fetch)), kind_of(len)
        ('async', 'sync')
    """
    fn = _innermost(fn)
    if not _flags(fn) and not isinstance(fn, type):
        cls: type = type(fn)
        own = (vars(base).get("__call__") for base in cls.__mro__)
        fn = fn if _is_marked(fn) else _innermost(next(filter(None, own), None))
    flags = _flags(fn)
    if flags & _COROUTINE or _is_marked(fn):
        return "async"
    if flags & _ASYNC_GENERATOR:
        return "async_generator"
    return "generator" if flags & _GENERATOR and not flags & _ITERABLE_COROUTINE else "sync"


def describe(fn: Callable[..., Any]) -> str:
    """Return a short name for a callable, for messages and telemetry: `dict.get`."""
    while isinstance(fn, (functools.partial, functools.partialmethod)):
        fn = fn.func
    return getattr(fn, "__qualname__", None) or type(fn).__qualname__


def decorate(fn: F, make: Callable[[Any], Any], *, by: str) -> F:
    """Return `make(fn)` with the name, signature and documentation of `fn`.

    Class and static methods stay what they are. What cannot be called is refused with a TypeError
    that names the decorator `by`.
    """
    if isinstance(fn, (classmethod, staticmethod)):
        return cast("F", type(fn)(decorate(fn.__func__, make, by=by)))
    if not callable(fn):
        raise TypeError(f"{by} decorates callables, not {shown(fn)}")
    wrapper = make(fn)
    if wrapper is not fn:
        # The state of a callable object is not the state of its wrapper.
        updated = ("__dict__",) if isinstance(fn, FunctionType) else ()
        functools.update_wrapper(wrapper, fn, updated=updated)
        if not hasattr(fn, "__qualname__"):
            wrapper.__name__ = wrapper.__qualname__ = describe(fn)
    return cast("F", wrapper)


def wrap(
    fn: Callable[P, T],
    around: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    *,
    stepwise: bool = False,
    by: str = "wrap",
) -> Callable[P, T]:
    """Wrap a callable of any kind so that every call runs inside `around(args, kwargs)`.

    A generator runs from its first step to its end; what its consumer sends and throws goes on.

    Args:
        fn: The callable.
        around: Returns the context manager of one call; it suppresses no exception.
        stepwise: The context has `resume()` and `suspend()`, called around each step of a
            generator: between steps the consumer runs, in its own context.
        by: The name of the decorator, for the TypeError if `fn` cannot be called.

    Returns:
        A function of the same kind, name and signature.
    """

    def make(inner: Any) -> Any:
        kind = kind_of(inner)
        if kind == "sync":
            return _function(inner, around)
        if kind == "async":
            return _coroutine(inner, around)
        step = _stepping if stepwise else nullcontext
        return (_generator if kind == "generator" else _async_generator)(inner, around, step)

    return decorate(fn, make, by=by)


def _function(fn: Any, around: Any) -> Any:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs):
            return fn(*args, **kwargs)

    return wrapped


def _coroutine(fn: Any, around: Any) -> Any:
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs):
            return await fn(*args, **kwargs)

    return wrapped


def _generator(fn: Any, around: Any, step: Any) -> Any:
    def wrapped(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        context = around(args, kwargs)
        with context:
            inner = fn(*args, **kwargs)
            advance, given = inner.send, None
            while True:
                try:
                    with step(context):
                        item = advance(given)
                except StopIteration as stop:
                    return stop.value
                try:
                    advance, given = inner.send, (yield item)
                except GeneratorExit:
                    with step(context):
                        inner.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - the inner generator decides
                    advance, given = inner.throw, error

    return wrapped


def _async_generator(fn: Any, around: Any, step: Any) -> Any:
    async def wrapped(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        context = around(args, kwargs)
        with context:
            inner = fn(*args, **kwargs)
            advance, given = inner.asend, None
            while True:
                try:
                    with step(context):
                        item = await advance(given)
                except StopAsyncIteration:
                    return
                try:
                    advance, given = inner.asend, (yield item)
                except GeneratorExit:
                    with step(context):
                        await inner.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - the inner generator decides
                    advance, given = inner.athrow, error

    return wrapped


@contextmanager
def _stepping(context: Any) -> Generator[None]:
    context.resume()
    try:
        yield
    finally:
        context.suspend()


def _innermost(fn: Any) -> Any:
    """Return what is called in the end, or what is marked as async on the way."""
    while fn is not None and not _is_marked(fn):
        if isinstance(fn, _PARTIAL):
            fn = fn.func
        elif isinstance(fn, _METHOD):
            fn = fn.__func__
        elif hasattr(fn, "__wrapped__") and (isinstance(fn, _CACHE) or hasattr(fn, "register")):
            fn = fn.__wrapped__  # a cache, or single dispatch
        else:
            break
    return fn


def _is_marked(fn: Any) -> bool:
    """Whether a callable says that it is async, by any of the marks that Python has had."""
    for attribute, module in _MARKS:
        mark, home = getattr(fn, attribute, None), vars(sys.modules.get(module, sys))
        if mark is not None and mark in (home.get(attribute), home.get(attribute[:-2])):  # 3.13
            return True
    return False


def _flags(fn: Any) -> int:
    flags = getattr(getattr(fn, "__code__", None), "co_flags", 0)
    return flags if isinstance(flags, int) else 0
