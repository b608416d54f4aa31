"""Limit how long a call may take."""

from __future__ import annotations

import contextvars
import threading
import time
import types
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from ._check import number, whole
from ._deadline import limit
from ._limiter import DONE
from ._policy import Policy, describe, entered, nothing_to_begin, pop, relaying
from ._telemetry import emit

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Generator

T = TypeVar("T")
D = TypeVar("D")
_MISSING: Any = object()


class _Scope:
    """Cancels the task it was made in when the time is over, and owns up to it.

    The rules are those of ``asyncio.timeout``: our cancellation becomes ``TimeoutError``,
    anybody else's stays what it is, also when both come at once.
    """

    __slots__ = ("_cancelled", "_cancelling", "_handle", "_loop", "_task", "_when", "seconds")

    def __init__(self, loop: asyncio.AbstractEventLoop, when: float, seconds: float) -> None:
        import asyncio

        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a timeout works in a task only")
        self._task = task
        self._cancelling = task.cancelling()
        self._cancelled = False
        self._loop = loop
        self._when = when
        self._handle: asyncio.Handle | None = None
        self.seconds = seconds

    def arm(self) -> None:
        """Set the timer."""
        self._handle = self._loop.call_at(self._when, self._expire)

    def arm_soon(self) -> None:
        """Set the timer once the task suspends: a block that never does saves the price."""
        self._handle = self._loop.call_soon(self.arm)

    def _expire(self) -> None:
        self._handle = None
        self._cancelled = True
        self._task.cancel()

    def ended_it(self, exc: BaseException | None) -> bool:
        """Remove the timer; tell whether it was this that ended the block with ``exc``."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if not self._cancelled:
            return False
        import asyncio

        foreign = self._task.uncancel() > self._cancelling
        return not foreign and isinstance(exc, asyncio.CancelledError)

    def end(self, exc: BaseException | None, /) -> None:
        """End a block: raise ``TimeoutError`` if this scope ended it."""
        if self.ended_it(exc):
            raise _too_late(self.seconds) from exc


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


@types.coroutine
def _drive(coroutine: Any, seconds: float, default: Any) -> Generator[Any, Any, Any]:
    """Run a coroutine in this task; a timer is set only if it suspends.

    The first step is made by hand: if it ends the coroutine, that was all. A timeout of
    the callee's own goes through unchanged, whatever the default.
    """
    left = limit(seconds)
    if left <= 0:
        coroutine.close()
        if default is _MISSING:
            raise _too_late(seconds)
        return default
    loop = _running_loop()
    when = loop.time() + left
    try:
        suspended = coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    scope = _Scope(loop, when, left)
    scope.arm()
    try:
        while True:
            try:
                yield suspended
            except BaseException as thrown:
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
        late = _too_late(left)
        if default is _MISSING:
            raise late from exc
        return default
    scope.ended_it(None)
    return result


async def _await_limited(owner: _Owner, seconds: float, default: Any) -> Any:
    return await _drive(owner.coroutine, seconds, default)


async def _await(awaitable: Awaitable[T]) -> T:
    return await awaitable


class Timeout(Policy):
    """Calls that take longer end with ``TimeoutError``. See :func:`with_timeout`."""

    def __init__(
        self, seconds: float, *, thread: bool = False, max_threads: int = 32, name: str = "timeout"
    ) -> None:
        self.seconds = number("timeout", seconds, above=0)
        self.name = name
        self._thread = thread
        self._slots = threading.BoundedSemaphore(whole("max_threads", max_threads))

    def __repr__(self) -> str:
        return f"<Timeout {self.seconds:g} s>"

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        seconds = self.seconds

        async def limited(*args: Any, **kwargs: Any) -> T:
            coroutine: Any = fn(*args, **kwargs)
            if type(coroutine) is not types.CoroutineType:
                coroutine = _await(coroutine)
            result: T = await _drive(coroutine, seconds, _MISSING)
            return result

        return limited

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def stepping() -> Callable[[Any], Awaitable[Any]]:
            until = time.monotonic() + self.seconds

            def step(awaitable: Any) -> Awaitable[Any]:
                left = until - time.monotonic()
                return _drive(_await(awaitable), left, _MISSING)

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
        until = time.monotonic() + left
        if left <= 0 or not self._slots.acquire(timeout=left):
            raise _too_late(self.seconds)
        context = contextvars.copy_context()
        done = threading.Event()
        outcome: list[Any] = []

        def work() -> None:
            try:
                outcome.extend((True, context.run(fn, *args, **kwargs)))
            except BaseException as exc:
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
        if not done.wait(until - time.monotonic()):
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
        left = limit(self.seconds)
        if left <= 0:
            raise _too_late(self.seconds)
        loop = _running_loop()
        scope = _Scope(loop, loop.time() + left, left)
        scope.arm_soon()
        entered.set((self, scope, entered.get()))
        return DONE

    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Awaitable[None]:
        if scope := pop(self):
            scope.end(exc)
        return DONE

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
    if timeout is _MISSING or awaitable is _MISSING:
        seconds = timeout if awaitable is _MISSING else awaitable
        return Timeout(seconds, thread=thread, max_threads=max_threads)
    try:
        coroutine = awaitable
        if type(coroutine) is not types.CoroutineType:
            if not hasattr(awaitable, "__await__"):
                raise TypeError(f"awaitable must be awaitable, not {awaitable!r}")
            coroutine = _await(awaitable)
        if type(timeout) is not float or not 0.0 < timeout < 1e9:
            number("timeout", timeout)
    except BaseException:
        if isinstance(awaitable, types.CoroutineType):
            awaitable.close()
        raise
    return _await_limited(_Owner(coroutine), timeout, default)


def _running_loop() -> Any:
    """Replace itself by asyncio's function, which is slow to import and fast to call."""
    global _running_loop
    from asyncio import get_running_loop as _running_loop

    return _running_loop()
