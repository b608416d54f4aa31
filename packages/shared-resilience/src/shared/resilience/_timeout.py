# ruff: noqa: SLF001  the modules of one package know each other's inside
"""Limit how long a call may take."""

from __future__ import annotations

import contextvars
import threading
import types
from contextlib import suppress
from time import monotonic
from types import CoroutineType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from ._check import number, whole
from ._deadline import limit, present
from ._limiter import DONE
from ._policy import Policy, describe, nothing_to_begin, relaying
from ._telemetry import emit

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Generator

T = TypeVar("T")
D = TypeVar("D")
_MISSING: Any = object()
_SAME_CLOCK = 0.1  # seconds; a loop may round its time
_LONG = 1e9  # seconds: 30 years


class _Scope:
    """Cancels the task it was made in when the time is over, and owns up to it.

    The rules are those of ``asyncio.timeout``: our cancellation becomes ``TimeoutError``,
    anybody else's stays what it is, also when both come at once.
    """

    __slots__ = (
        "_cancelled",
        "_cancelling",
        "handle",
        "loop",
        "outer",
        "over",
        "seconds",
        "task",
        "when",
    )

    def __init__(self, seconds: float) -> None:
        loop = _running_loop()
        task = _current_task(loop)
        if task is None:
            raise RuntimeError("a timeout works in a task only")
        self.task: asyncio.Task[Any] = task
        self.outer: _Scope | None = None  # of the same object and task, around this one
        self._cancelling: int = task.cancelling()
        self._cancelled: bool = False
        self.over: bool = False
        self.loop: asyncio.AbstractEventLoop = loop
        self.when: float = loop.time() + seconds
        self.handle: asyncio.Handle | None = None
        self.seconds: float = seconds

    def arm(self) -> None:
        """Set the timer, unless the block is over already."""
        if not self.over:
            self.handle = self.loop.call_at(self.when, self._expire)

    def _expire(self) -> None:
        self.handle = None
        self._cancelled = True
        self.task.cancel()

    def ended_it(self, exc: BaseException | None) -> bool:
        """Remove the timer; tell whether it was this that ended the block with ``exc``."""
        if self.handle is not None:
            self.handle.cancel()
            self.handle = None
        if not self._cancelled:
            return False
        import asyncio

        foreign = self.task.uncancel() > self._cancelling
        return not foreign and isinstance(exc, asyncio.CancelledError)

    def end(self, exc: BaseException | None, /) -> None:
        """End a block: raise ``TimeoutError`` if this scope ended it."""
        if self.ended_it(exc):
            raise _too_late(self.seconds) from exc


class _Armer:
    """Sets the timers of the blocks that are still open when their loop comes round.

    A block that never suspends is over by then: it costs no timer, only a place in a set.
    """

    __slots__ = ("_loop", "_scheduled", "open")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._scheduled = False
        self.open: set[_Scope] = set()

    def add(self, scope: _Scope) -> None:
        self.open.add(scope)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._arm)

    def _arm(self) -> None:
        self._scheduled = False
        while self.open:
            self.open.pop().arm()


def _armer_of(loop: Any) -> _Armer:
    try:
        return loop._shared_resilience_armer  # type: ignore[no-any-return]
    except AttributeError:
        armer = _Armer(loop)
        with suppress(AttributeError):  # a loop that takes no attributes gets one each time
            loop._shared_resilience_armer = armer
        return armer


def _too_late(seconds: float) -> TimeoutError:
    emit("timeout", "timeout", "timed_out", seconds=seconds)
    return TimeoutError(f"timed out after {seconds:g} s")


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
        raise _too_late(seconds)
    return default


@types.coroutine
def _drive(
    coroutine: Any, suspended: Any, seconds: float, started: float, default: Any
) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that suspended, under a timer.

    A timeout of the callee's own goes through unchanged, whatever the default.
    """
    scope = _Scope(seconds)
    passed = monotonic() - started
    # The time counts from the first step. A loop on virtual time has another clock, on which
    # none has passed since.
    if abs(scope.when - seconds - started - passed) < _SAME_CLOCK:
        scope.when -= passed
    scope.arm()
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
        late = _too_late(seconds)
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
        self._scopes: dict[Any, _Scope] = {}  # the blocks that are open, by task
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
            raise _too_late(self.seconds)
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
            raise _too_late(left)
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
            raise _too_late(self.seconds)
        scope = _Scope(left)
        _armer_of(scope.loop).add(scope)
        scope.outer = self._scopes.get(scope.task)
        self._scopes[scope.task] = scope
        return DONE

    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Awaitable[None]:
        scope = self._scopes.pop(_current_task(_running_loop()), None)
        if scope is None:  # an async generator that another task finalises
            self._forget_ended_tasks()
            return DONE
        if scope.outer is not None:
            self._scopes[scope.task] = scope.outer
        scope.over = True
        if scope.handle is None:  # not armed yet, or over
            _armer_of(scope.loop).open.discard(scope)
        scope.end(exc)
        return DONE

    def _forget_ended_tasks(self) -> None:
        for task in [task for task in self._scopes if task.done()]:
            scope: _Scope | None = self._scopes.pop(task, None)
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
    globals()["_current_task"] = asyncio.current_task
