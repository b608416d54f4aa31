# ruff: noqa: SLF001  the modules of one package know each other's inside
"""Limit how long a call may take."""

from __future__ import annotations

import contextvars
import sys
import threading
import types
from time import monotonic
from types import CoroutineType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from ._check import number, whole
from ._deadline import limit, present
from ._limiter import DONE
from ._policy import Policy, describe, nothing_to_begin, relaying
from ._scope import Scope, armer_of, too_late

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator

    from ._scope import Armer

T = TypeVar("T")
D = TypeVar("D")
_MISSING: Any = object()
_LONG = 1e9  # seconds: 30 years
_NO_TASK = "a timeout works in a task only"


class _Owner:
    """Closes a coroutine that nobody got to start, whatever became of its task."""

    __slots__ = ("coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine = coroutine

    def __del__(self) -> None:
        self.coroutine.close()


# The first step of a coroutine is made by hand, in `_limited` and in the decorator: if it
# ends the coroutine, that was all: no loop was asked for the time and no timer was set.


async def _limited(owner: _Owner, seconds: float, default: Any) -> Any:
    """Await what ``owner`` holds for so long; too late gives the default, if there is one."""
    left = seconds if present.get() is None else limit(seconds)
    if left <= 0:
        return _no_time(owner.coroutine, seconds, default)
    started = monotonic()
    try:
        suspended = owner.coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    return await _drive(owner.coroutine, suspended, left, started, default)


def _no_time(coroutine: Any, seconds: float, default: Any) -> Any:
    coroutine.close()
    if default is _MISSING:
        raise too_late(seconds)
    return default


@types.coroutine
def _drive(
    coroutine: Any, suspended: Any, seconds: float, started: float, default: Any
) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that suspended, under a timer that counts from its first step.

    A timeout of the callee's own goes through unchanged, whatever the default.
    """
    loop = _running_loop()
    task = _current_task(loop)
    if task is None:
        raise RuntimeError(_NO_TASK)
    scope = Scope(loop, task, seconds, started, task.cancelling())
    result = None
    try:
        while True:
            try:
                yield suspended
            except BaseException as thrown:  # noqa: BLE001  what comes in is the coroutine's
                try:
                    suspended = coroutine.throw(thrown)
                except StopIteration as stop:
                    result = stop.value
                    break
            else:
                result = yield from coroutine
                break
    except BaseException as exc:
        if not scope.ended_it(exc):
            raise
        late = too_late(seconds)
        if default is _MISSING:
            raise late from exc
        return default
    scope.ended_it(None)
    return result


async def _await(awaitable: Awaitable[T]) -> T:
    return await awaitable


class Timeout(Policy):
    """Calls that take longer end with ``TimeoutError``. See :func:`with_timeout`."""

    def __init__(
        self, seconds: float, *, thread: bool = False, max_threads: int = 32, name: str = "timeout"
    ) -> None:
        self.seconds: float = number("timeout", seconds, above=0)
        self.name = name
        self._thread = thread
        self.scopes: dict[Any, Scope] = {}  # the blocks that have a timer, by task
        self._slots = threading.BoundedSemaphore(whole("max_threads", max_threads))

    def __repr__(self) -> str:
        return f"<Timeout {self.seconds:g} s>"

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        seconds = self.seconds

        async def limited(*args: Any, **kwargs: Any) -> T:
            coroutine: Any = fn(*args, **kwargs)
            if type(coroutine) is not CoroutineType:
                coroutine = _await(coroutine)
            left = seconds if present.get() is None else limit(seconds)
            if left <= 0:
                _no_time(coroutine, seconds, _MISSING)
            started = monotonic()
            try:
                suspended = coroutine.send(None)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            return await _drive(coroutine, suspended, left, started, _MISSING)  # type: ignore[no-any-return]

        return limited

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def stepping() -> Callable[[Any], Awaitable[Any]]:
            until = monotonic() + self.seconds

            def step(awaitable: Any) -> Awaitable[Any]:
                return _limited(_Owner(_await(awaitable)), until - monotonic(), _MISSING)

            return step

        return relaying(fn, nothing_to_begin, stepping)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        if not self._thread:
            raise TypeError(
                f"{describe(fn)} is a plain function, which cannot be interrupted: make it"
                " async, use its own timeout, or pass thread=True to leave it behind in a thread"
            )

        def limited(*args: Any, **kwargs: Any) -> T:
            return self._in_thread(fn, args, kwargs)

        return limited

    def _in_thread(self, fn: Callable[..., T], args: Any, kwargs: Any) -> T:
        left = limit(self.seconds)
        until = monotonic() + left
        if left <= 0 or not self._slots.acquire(timeout=left):
            raise too_late(self.seconds)
        context = contextvars.copy_context()
        done = threading.Event()
        outcome: list[Any] = []

        def work() -> None:
            try:
                outcome.extend((True, context.run(fn, *args, **kwargs)))
            except BaseException as exc:  # noqa: BLE001  handed on, or decided on, not swallowed
                outcome.extend((False, exc))
            finally:
                self._slots.release()  # only now: a stuck call keeps its slot
                done.set()

        try:
            # A daemon: a call that never ends must not keep the process from ending.
            threading.Thread(target=work, name=f"with_timeout {describe(fn)}", daemon=True).start()
        except BaseException:
            self._slots.release()
            raise
        if not done.wait(until - monotonic()):
            raise too_late(left)
        went_well, value = outcome
        if went_well:
            return value  # type: ignore[no-any-return]
        outcome.clear()
        try:
            raise value
        finally:
            del value  # the traceback holds this frame: break the circle

    def __aenter__(self) -> Awaitable[None]:
        left = self.seconds if present.get() is None else limit(self.seconds)
        if left <= 0:
            raise too_late(self.seconds)
        loop = _running_loop()
        task = _current_task(loop)
        if task is None:
            raise RuntimeError(_NO_TASK)
        try:  # a call less than `armer_of`
            armer = loop._shared_resilience_armer
        except AttributeError:
            armer = armer_of(loop)
        entered = armer.entered
        entered[task] = self, left, monotonic(), task.cancelling(), entered.get(task)
        if not armer.scheduled:
            armer.schedule()
        return DONE

    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Awaitable[None]:
        loop = _running_loop()
        task = _current_task(loop)
        try:
            armer = loop._shared_resilience_armer
        except AttributeError:
            armer = armer_of(loop)
        entered = armer.entered
        entry = entered.get(task)
        if entry is not None and entry[0] is self:  # it never suspended: there is no timer
            if entry[4] is None:
                del entered[task]
            else:
                entered[task] = entry[4]
        elif not armer.remove(task, self):
            if task in self.scopes:
                self._leave(task, exc)
            else:
                self._leave_in_another_task(armer)
        return DONE

    def _leave(self, task: Any, exc: BaseException | None) -> None:
        """End a block that has a timer: raise ``TimeoutError`` if it was that which ended it."""
        scope = self.scopes.pop(task)
        if scope.outer is not None:
            self.scopes[task] = scope.outer
        if scope.ended_it(exc):
            raise too_late(scope.seconds) from exc

    def _leave_in_another_task(self, armer: Armer) -> None:
        """End the block of an async generator that another task finalises.

        Whose block that was, nobody says; with an object for each block there is only one.
        """
        armer.arm()
        for task in list(self.scopes):
            if task.done() or (len(self.scopes) == 1 and self.scopes[task].outer is None):
                scope: Scope | None = self.scopes.pop(task)
                while scope is not None:
                    scope.ended_it(None)
                    scope = scope.outer

    def __enter__(self) -> NoReturn:
        raise TypeError("a plain block cannot be interrupted: use `async with with_timeout(...)`")

    def __exit__(self, *exc: object) -> None:
        """Complete the protocol, so that ``with`` gets the message of ``__enter__``."""


@overload
def with_timeout(timeout: float, /, *, thread: bool = ..., max_threads: int = ...) -> Timeout: ...
@overload
def with_timeout(awaitable: Awaitable[T], timeout: float, /) -> Coroutine[Any, Any, T]: ...
@overload
def with_timeout(
    awaitable: Awaitable[T], timeout: float, default: D
) -> Coroutine[Any, Any, T | D]: ...
def with_timeout(
    awaitable: Any = _MISSING,
    timeout: Any = _MISSING,
    default: Any = _MISSING,
    *,
    thread: bool = False,
    max_threads: int = 32,
) -> Any:
    """Limit the time of a call: as a decorator, as a context, or around one awaitable.

    ``@with_timeout(5.0)`` and ``async with with_timeout(5.0):`` give each call or block so
    many seconds; ``await with_timeout(coroutine, 5.0)`` gives them to one awaitable. None
    gets more than is left of the present :func:`deadline`. A cancellation from outside
    stays one; the callee's own ``TimeoutError`` is never replaced by ``default``.

    Args:
        awaitable: What to await; or only the seconds, for a decorator or a context.
        timeout: Seconds.
        default: Returned when the time is over. Without it ``TimeoutError`` is raised.
        thread: Allow a plain function: it runs in a thread, with a copy of the context.
            At the deadline the caller is freed, **but the function goes on**, and holds
            its slot until it really ends.
        max_threads: How many such threads one decorator may have, stuck ones included.

    Raises:
        TimeoutError: The time is over and there is no default.
        TypeError: A plain function is decorated without ``thread=True``.
        ValueError: ``timeout`` is not above 0.

    Example:
        >>> import asyncio
        >>> asyncio.run(with_timeout(asyncio.sleep(1), 0.01, "too slow"))
        'too slow'
    """
    if type(awaitable) is CoroutineType and type(timeout) is float and timeout < _LONG:
        return _limited(_Owner(awaitable), timeout, default)
    if timeout is _MISSING or awaitable is _MISSING:
        seconds: Any = timeout if awaitable is _MISSING else awaitable
        return Timeout(seconds, thread=thread, max_threads=max_threads)
    try:
        coroutine = awaitable
        if type(coroutine) is not CoroutineType:
            if not hasattr(awaitable, "__await__"):
                raise TypeError(f"awaitable must be awaitable, not {awaitable!r}")
            coroutine = _await(awaitable)
        number("timeout", timeout, most=_LONG)
    except BaseException:
        if isinstance(awaitable, CoroutineType):
            awaitable.close()
        raise
    return _limited(_Owner(coroutine), timeout, default)


# These two are replaced by asyncio's own, which are slow to import and fast to call.


def _running_loop() -> Any:
    _import_asyncio()
    return _running_loop()


def _current_task(loop: Any) -> Any:
    _import_asyncio()
    return _current_task(loop)


def _import_asyncio() -> None:
    import asyncio

    globals()["_running_loop"] = asyncio.get_running_loop
    # Before 3.12 `asyncio.current_task` is Python code around this.
    globals()["_current_task"] = (
        asyncio.current_task if sys.version_info >= (3, 12) else asyncio.tasks._current_tasks.get  # type: ignore[attr-defined]
    )
