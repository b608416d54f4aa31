"""Decorators that log: log_calls, log_exceptions, deprecated. Any kind of function."""

from __future__ import annotations

import contextlib
import inspect
import time
import warnings
from contextvars import ContextVar
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from shared.core import callables

from .._base.calls import is_failure, title, wrap
from .._base.levels import level_name, parse_level
from .._record.context import EMPTY
from .state import STATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from types import CodeType, TracebackType

    from .logger import Logger

P = ParamSpec("P")
T = TypeVar("T")


class Site:
    """The decorated function, in place of the caller's frame."""

    __slots__ = ("f_code", "f_lineno")

    def __init__(self, fn: Any) -> None:
        code: CodeType = getattr(inspect.unwrap(fn), "__code__", Site.__init__.__code__)
        self.f_code = code
        self.f_lineno = code.co_firstlineno


class Target:
    """Where a decorator logs: to the given logger, else to that of the function's module."""

    def __init__(self, fn: Any, logger: Logger | str | None, level: int | str) -> None:
        module = getattr(fn, "__module__", None)
        name = logger if isinstance(logger, str) else getattr(logger, "name", module)
        self.core = STATE.levels.core(name or "root")
        self.bound = getattr(logger, "_bound", EMPTY)
        self.number = parse_level(level)
        self.site = Site(fn)

    def enabled(self) -> bool:
        return self.core.level <= self.number

    def log(self, message: str, **fields: Any) -> None:
        if self.enabled():
            name = level_name(self.number)
            STATE.emit(self.core.name, self.bound, name, message, (), fields, self.site)


@overload
def log_calls(fn: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def log_calls(
    *,
    level: int | str = ...,
    logger: Logger | str | None = ...,
    arguments: bool = ...,
    result: bool = ...,
    log_args: bool | None = ...,
    log_result: bool | None = ...,
) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def log_calls(
    fn: Any = None,
    /,
    *,
    level: int | str = "INFO",
    logger: Logger | str | None = None,
    arguments: bool = True,
    result: bool = False,
    log_args: bool | None = None,
    log_result: bool | None = None,
) -> Any:
    """Log every call when it ends: its arguments, how long it took, and how it ended.

    Works bare and with arguments, on any kind of function.

    Args:
        fn: The function.
        level: The level of the line.
        logger: A logger or its name; that of the function's module if None.
        arguments: Show the arguments by name, without secrets.
        result: Show the result of a plain function or coroutine.
        log_args: An old name for `arguments`.
        log_result: An old name for `result`.

    Example:
        >>> @log_calls
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> from shared.observability import capture_logs
        >>> with capture_logs() as logs:
        ...     double(4)
        8
        >>> logs[0]["message"], logs[0]["arguments"]
        ('double returned', {'x': 4})
    """
    arguments = arguments if log_args is None else log_args
    result = result if log_result is None else log_result

    def make(inner: Any) -> Any:
        target = Target(inner, logger, level)
        signature = inspect.signature(inner) if arguments else None
        name = title(inner)

        def around(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
            return _Call(target, name, signature, args, kwargs)

        kind = callables.kind_of(inner)
        if not result or "generator" in kind:
            return wrap(inner, around, by="log_calls")
        return _with_result(inner, around, kind)

    def decorate(inner: Any) -> Any:
        return callables.decorate(inner, make, by="log_calls")

    return decorate if fn is None else decorate(fn)


_NOTHING = object()


class _Call:
    def __init__(
        self,
        target: Target,
        name: str,
        signature: inspect.Signature | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.result: Any = _NOTHING
        self.postponed = False  # until the coroutine that the function returned has ended
        self._start: float | None = None
        self._target = target
        self._name = name
        self._signature = signature
        self._given = args, kwargs

    def __enter__(self) -> None:
        self._start = self._start or time.perf_counter()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.postponed or not self._target.enabled():
            self.postponed = False
            return
        seconds = time.perf_counter() - (self._start or 0.0)
        fields: dict[str, Any] = {"duration_seconds": round(seconds, 9)}
        if self._signature is not None:
            args, kwargs = self._given
            try:
                given = dict(self._signature.bind(*args, **kwargs).arguments)
                fields["arguments"] = {k: v for k, v in given.items() if k not in {"self", "cls"}}
            except TypeError:
                fields["arguments"] = {"args": args, "kwargs": kwargs}
        if self.result is not _NOTHING:
            fields["result"] = self.result
        if exc_type is None:
            ending = "returned"
        elif is_failure(exc):
            ending = "raised"
            fields["error"] = exc
        else:
            ending = "ended"
        self._target.log(f"{self._name} {ending}", **fields)


def _with_result(inner: Any, around: Callable[[Any, Any], _Call], kind: str) -> Any:
    """Wrap a function so that the context of a call also gets its result."""

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        with (call := around(args, kwargs)):
            call.result = await inner(*args, **kwargs)
        return call.result

    def called(*args: Any, **kwargs: Any) -> Any:
        with (call := around(args, kwargs)):
            result = inner(*args, **kwargs)
            if isinstance(result, CoroutineType):
                call.postponed = True
                return finished(result, call)
            call.result = result
        return result

    async def finished(coroutine: Any, call: _Call) -> Any:
        with call:
            call.result = await coroutine
        return call.result

    return awaited if kind == "async" else called


@overload
def log_exceptions(fn: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def log_exceptions(
    *,
    level: int | str = ...,
    logger: Logger | str | None = ...,
    message: str | None = ...,
) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def log_exceptions(
    fn: Any = None,
    /,
    *,
    level: int | str = "ERROR",
    logger: Logger | str | None = None,
    message: str | None = None,
) -> Any:
    """Log an exception that leaves the function, and let it propagate.

    Works bare and with arguments, on any kind of function. An exception that passes through
    several decorated functions is logged once. Cancellation and exit are not errors.

    Args:
        fn: The function.
        level: The level of the line.
        logger: A logger or its name; that of the function's module if None.
        message: The message; "NAME failed" if None.

    Example:
        >>> @log_exceptions(message="import failed")
        ... def load() -> None:
        ...     raise OSError("disk full")
        >>> from shared.observability import capture_logs
        >>> with capture_logs() as logs:
        ...     try:
        ...         load()
        ...     except OSError:
        ...         pass
        >>> logs[0]["message"], logs[0]["exception"][0]["type"]
        ('import failed', 'OSError')
    """

    def make(inner: Any) -> Any:
        target, text = Target(inner, logger, level), message or f"{title(inner)} failed"

        def around(_args: tuple[Any, ...], _kwargs: dict[str, Any]) -> _Guard:
            return _Guard(target, text)

        return wrap(inner, around, stepwise=True, by="log_exceptions")

    def decorate(inner: Any) -> Any:
        return callables.decorate(inner, make, by="log_exceptions")

    return decorate if fn is None else decorate(fn)


class _Guard:
    """One call; it knows the decorated call around it, which need not log the same exception.

    Nothing is noted on the exception: one that is kept and raised again is logged again.
    """

    __slots__ = ("_logged", "_message", "_outer", "_target", "_token")

    def __init__(self, target: Target, message: str) -> None:
        self._target = target
        self._message = message
        self._outer = _guard.get()
        self._logged: BaseException | None = None

    def __enter__(self) -> None:
        self.resume()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.suspend()
        if exc is not None and is_failure(exc):
            if self._logged is not exc:
                self._target.log(self._message, exc_info=exc)
            if self._outer is not None:
                self._outer.note(exc)
        self._logged = None

    def note(self, exc: BaseException) -> None:
        """Note that a call inside this one has logged an exception."""
        self._logged = exc

    def resume(self) -> None:
        """Be the call around those that start now."""
        if _guard.get() is not self:
            self._token: Token[_Guard | None] | None = _guard.set(self)

    def suspend(self) -> None:
        """Be it no longer."""
        if self._token is not None:
            with contextlib.suppress(ValueError):  # closed by another task
                _guard.reset(self._token)
            self._token = None


_guard: ContextVar[_Guard | None] = ContextVar("log_exceptions", default=None)


@overload
def deprecated(fn: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def deprecated(
    reason: str = ..., /, *, since: str | None = ..., use: str | None = ...
) -> Callable[[Callable[P, T]], Callable[P, T]]: ...
def deprecated(reason: Any = "", /, *, since: str | None = None, use: str | None = None) -> Any:
    """Mark a function as deprecated: a DeprecationWarning for each call, one log line in total.

    Works bare and with arguments, on any kind of function.

    Args:
        reason: Why; or the function, if used bare.
        since: The version that deprecated it.
        use: What to use instead.

    Example:
        >>> @deprecated(use="new_total")
        ... def total() -> int:
        ...     return 3
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as seen:
        ...     warnings.simplefilter("always")
        ...     total()
        3
        >>> str(seen[0].message)
        'total is deprecated; use new_total'
    """

    def make(inner: Any) -> Any:
        text = f"{title(inner)} is deprecated"
        text += f" since {since}" if since else ""
        text += f": {reason}" if isinstance(reason, str) and reason else ""
        text += f"; use {use}" if use else ""
        target = Target(inner, None, "WARNING")
        first = iter((True,))  # exhausted by one thread alone

        def around(_args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
            if next(first, False):
                target.log(text)
            warnings.warn(text, DeprecationWarning, stacklevel=3)
            return contextlib.nullcontext()

        return wrap(inner, around, by="deprecated")

    def decorate(inner: Any) -> Any:
        return callables.decorate(inner, make, by="deprecated")

    return decorate if isinstance(reason, str) else decorate(reason)
