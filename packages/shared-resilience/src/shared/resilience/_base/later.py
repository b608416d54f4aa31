"""Plain functions that return an awaitable: the call is over when that has been awaited.

Whether a lambda returns one shows only in its result, so the policies look at each result of a
plain function. The hot ones compare its class with the usual one, which is none, in line: 8 ns;
`hasattr(result, "__await__")` costs 20, a call of this module 170.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from shared.core.loops import running_loop

from .callables import named_like

if TYPE_CHECKING:
    from types import CodeType, TracebackType

# The functions that have returned awaitables: where they must wait, their event loop goes on.
# With whether these are coroutines or futures, which a coroutine can stand for.
_known: WeakKeyDictionary[CodeType, bool] = WeakKeyDictionary()
_PASSED = ("__aiter__", "__anext__", "__iter__", "__next__", "__len__", "__enter__", "__exit__")


def is_later(result: Any) -> bool:
    """Return whether a result is an awaitable: by its class, since objects may answer to any name."""
    return hasattr(type(result), "__await__")


def stand_in(result: Any, protect: Callable[[Any], Coroutine[Any, Any, Any]], fn: Any) -> Any:
    """Return what is awaited in place of an awaitable that `fn` returned.

    A coroutine for a coroutine. For any other awaitable an object with its attributes, which can
    be entered with `async with` and iterated over as well, if it can: entering is the call then.

    Args:
        result: The awaitable.
        protect: Returns the coroutine that awaits an awaitable under the policy.
        fn: The function.
    """
    is_coroutine = isinstance(result, Coroutine)
    if (code := _code_of(fn)) is not None:
        _known[code] = is_coroutine or hasattr(result, "add_done_callback")
    if is_coroutine:
        return protect(result)
    kind: Any = type(result)
    return _stand_in_class(kind)(result, protect)


def must_not_block(fn: Any) -> bool:
    """Return whether waiting for `fn` here would block an event loop that awaits its results."""
    return running_loop() is not None and _code_of(fn) in _known


def later(fn: Any, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a function that returns awaitables so that nothing blocks the event loop.

    Args:
        fn: The function.
        run: Returns, for an async function, one that runs it under the policy.
        args: The arguments.
        kwargs: The keyword arguments.
    """
    if _known.get(_code_of(fn), True):  # type: ignore[arg-type]
        return run(awaiting(fn))(*args, **kwargs)
    # A request that starts when it is awaited or entered: its other attributes are wanted now.
    result = fn(*args, **kwargs)
    if not is_later(result):
        return result
    return stand_in(result, lambda first: run(awaiting(fn, first))(*args, **kwargs), fn)


def awaiting(fn: Callable[..., Any], *first: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return an async function that awaits `first`, then what `fn` returns each time."""
    results = list(first)

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        result = results.pop() if results else fn(*args, **kwargs)
        return await result if is_later(result) else result

    return named_like(awaited, fn)


def _code_of(fn: Any) -> CodeType | None:
    while (inner := getattr(fn, "__wrapped__", None) or getattr(fn, "func", None)) is not None:
        fn = inner
    code = getattr(getattr(fn, "__func__", fn), "__code__", None)
    return code if inspect.iscode(code) else None


class _StandIn:
    # What `async with` and `async for` need is looked up in the class, so each class has its own.

    def __init__(self, inner: Any, protect: Callable[[Any], Coroutine[Any, Any, Any]]) -> None:
        self._inner = inner
        self._protect = protect

    def __await__(self) -> Any:
        return self._protect(self._inner).__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __repr__(self) -> str:
        return repr(self._inner)


class _Entered(_StandIn):
    _leaving: Any

    async def __aenter__(self) -> Any:
        leaving = None

        async def enter() -> Any:
            nonlocal leaving
            value = await self._inner.__aenter__()
            leaving = self._inner
            return value

        value = await self._protect(enter())
        self._leaving = leaving or value  # another attempt's, which was awaited
        return value

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        leave = getattr(self._leaving, "__aexit__", None)
        return None if leave is None else await leave(exc_type, exc, traceback)


@functools.lru_cache(maxsize=256)
def _stand_in_class(kind: Any) -> type[_StandIn]:
    base = _Entered if hasattr(kind, "__aenter__") else _StandIn
    passed = {name: _passing(name) for name in _PASSED if hasattr(kind, name)}
    return type(kind.__name__, (base,), passed)


def _passing(name: str) -> Callable[..., Any]:
    def passed(self: Any, *args: Any) -> Any:
        return getattr(self._inner, name)(*args)

    return passed
