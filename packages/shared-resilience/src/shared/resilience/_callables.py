"""What kind of callable something is, and what it is called."""

from __future__ import annotations

import functools
import inspect
import sys
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_NOTHING = object()
# co_flags: generator, coroutine, iterable coroutine, async generator
_UNUSUAL = 0x20 | 0x80 | 0x100 | 0x200


def kind_of(fn: Callable[..., Any]) -> str:
    """Return ``"sync"``, ``"async"``, ``"generator"`` or ``"async_generator"``.

    Sees through partials and bound methods, and looks at ``__call__`` of objects.
    """
    code = getattr(fn, "__code__", None)
    if type(code) is CodeType and not code.co_flags & _UNUSUAL:
        # A plain function, the common case, decided without inspect; unless it is marked.
        return "async" if _marked(fn) else "sync"
    while isinstance(fn, functools.partial):
        fn = fn.func
    if inspect.iscoroutinefunction(fn) or _marked(fn):
        return "async"
    if not (inspect.isroutine(fn) or isinstance(fn, type)):
        fn = getattr(fn, "__call__", fn)  # noqa: B004  the method is wanted, not whether there is one
        if inspect.iscoroutinefunction(fn):
            return "async"
    if inspect.isgeneratorfunction(fn):
        return "generator"
    return "async_generator" if inspect.isasyncgenfunction(fn) else "sync"


def _marked(fn: Callable[..., Any]) -> bool:
    """Tell whether ``fn`` says that it is async: ``markcoroutinefunction``, or an AsyncMock."""
    mark = getattr(fn, "_is_coroutine_mark", None)
    if mark is not None and mark is getattr(inspect, "_is_coroutine_mark", _NOTHING):
        return True
    mark = getattr(fn, "_is_coroutine", None)
    coroutines = sys.modules.get("asyncio.coroutines")
    return mark is not None and mark is getattr(coroutines, "_is_coroutine", _NOTHING)


def describe(fn: Callable[..., Any]) -> str:
    """Return a name for a callable, for messages and telemetry."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return getattr(fn, "__qualname__", None) or type(fn).__qualname__


def named_like(wrapper: Callable[..., T], fn: Callable[..., Any]) -> Callable[..., T]:
    """Give a bare wrapper the name of what it wraps, for policies around it."""
    wrapper.__qualname__ = describe(fn)
    wrapper.__module__ = getattr(fn, "__module__", None) or type(fn).__module__
    return wrapper
