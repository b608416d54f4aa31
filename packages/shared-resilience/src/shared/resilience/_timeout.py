# ruff: noqa: SLF001  the modules of one package know each other's inside
"""Limit how long a call may take."""

from __future__ import annotations

import contextvars
import threading
from contextlib import suppress
from time import monotonic
from types import CoroutineType, TracebackType, coroutine
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast, overload

from ._alarm import Block, find_alarm, here, present_alarm, too_late
from ._callables import describe
from ._check import number, whole
from ._deadline import limit, present
from ._limited import MISSING, NO_TASK, Owner, as_coroutine, drive, limited, no_time
from ._policy import Policy, nothing_to_begin, relaying

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Generator

T = TypeVar("T")
D = TypeVar("D")
_LONG = 1e9  # seconds: 30 years
_THREADS = 32


@coroutine
def _done() -> Generator[None, None, None]:
    return
    yield


# What entering and leaving give to await: a generator that is over can be awaited again and
# again, and nothing is faster.
_DONE: Coroutine[Any, Any, None] = cast("Coroutine[Any, Any, None]", _done())
next(_DONE, None)  # type: ignore[call-overload]


class Timeout(Policy, Block):
    """Calls that take longer end with ``TimeoutError``. Made by :func:`with_timeout` only."""

    __slots__ = ("_others", "seconds")

    name = "timeout"
    seconds: float

    # A block is the object itself: an object for each block, the usual way of use, costs no
    # second one. Those who enter it while it is entered get blocks of their own, by task.
    _others: dict[asyncio.Task[Any], list[Block]] | None

    def __repr__(self) -> str:
        return f"<Timeout {self.seconds:g} s>"

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        seconds = self.seconds

        async def timed(*args: Any, **kwargs: Any) -> T:
            awaited: Any = fn(*args, **kwargs)
            if type(awaited) is not CoroutineType:
                awaited = as_coroutine(awaited)
            left = seconds if present.get() is None else limit(seconds)
            if left <= 0:
                no_time(awaited, seconds, MISSING)
            started = monotonic()
            try:
                suspended = awaited.send(None)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            return await drive(awaited, suspended, left, started, MISSING)  # type: ignore[no-any-return]

        return timed

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def stepping() -> Callable[[Any], Awaitable[Any]]:
            until = monotonic() + self.seconds

            def step(awaitable: Any) -> Awaitable[Any]:
                return limited(Owner(as_coroutine(awaitable)), until - monotonic(), MISSING)

            return step

        return relaying(fn, nothing_to_begin, stepping)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        raise TypeError(
            f"{describe(fn)} is a plain function, which cannot be interrupted: make it"
            " async, use its own timeout, or pass thread=True to leave it behind in a thread"
        )

    def __aenter__(self) -> Coroutine[Any, Any, None]:
        left = self.seconds
        if present.get() is not None and (left := limit(left)) <= 0:
            raise too_late(self.seconds)
        try:  # `present_alarm`, unrolled for speed
            alarm, thread = here.alarm
            loop = alarm.loop
            if loop._thread_id != thread:
                alarm = find_alarm()
                loop = alarm.loop
        except AttributeError:
            alarm = find_alarm()
            loop = alarm.loop
        task_of = alarm.task_of
        task = task_of(loop)
        if task is None:
            raise RuntimeError(NO_TASK)
        clock = alarm.clock
        now = clock()
        cancelling = task.cancelling()
        if self.task is not None or self._others:
            self._enter_another(alarm, task, left, now)
            return _DONE
        # Nothing is called since it was seen to be free: no other thread came in between.
        self.task = task
        # `Block.enter`, unrolled for speed.
        self.alarm = alarm
        self.left = left
        when = now + left
        self.when = when
        self.cancelling = cancelling
        self.below = alarm.top
        alarm.top = self
        if when < alarm.until:
            alarm.ring_at(when)
        return _DONE

    def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Coroutine[Any, Any, None]:
        if self._others:
            self._leave_one(exc)
            return _DONE
        alarm = self.alarm
        if alarm.top is self:  # `Block.leave`, unrolled for speed
            alarm.top = self.below
            self.task = self.below = None
        elif self.leave(exc):
            raise too_late(self.left) from exc
        return _DONE

    def _enter_another(self, *where: Any) -> None:
        block = Block()
        block.enter(*where)
        with _sharing:
            if self._others is None:
                self._others = {}
            self._others.setdefault(where[1], []).append(block)

    def _leave_one(self, exc: BaseException | None) -> None:
        """End the innermost block of the present task, where there are several."""
        with _sharing:
            others = self._others or {}
            task = self._whose(others)
            if task is None:
                return
            blocks = others.get(task)
            block = blocks.pop() if blocks else self
            if blocks == []:
                del others[task]
        if block.leave(exc):
            raise too_late(block.left) from exc

    def _whose(self, others: dict[asyncio.Task[Any], list[Block]]) -> asyncio.Task[Any] | None:
        """Tell whose block ends: the present task's, or that of an async generator.

        Such a one may be ended by another task. Nobody says then whose block it was: one
        whose task is over, or the only one.
        """
        with suppress(RuntimeError):  # collected outside of any loop
            alarm = present_alarm()
            task = alarm.task_of(alarm.loop)
            if task is not None and (task in others or task is self.task):
                return task
        tasks = [*others, *([] if self.task is None else [self.task])]
        ended = [task for task in tasks if task.done() or task.get_loop().is_closed()]
        if ended:
            return ended[0]
        return tasks[0] if len(tasks) == 1 else None

    def __enter__(self) -> NoReturn:
        raise TypeError("a plain block cannot be interrupted: use `async with with_timeout(...)`")

    def __exit__(self, *exc: object) -> None:
        """Complete the protocol, so that ``with`` gets the message of ``__enter__``."""


_sharing = threading.Lock()


class InThread(Timeout):
    """Frees the callers of plain functions at the deadline; the functions go on in threads."""

    __slots__ = ("_slots",)

    def __init__(self, max_threads: int) -> None:
        self._slots = threading.BoundedSemaphore(max_threads)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        def timed(*args: Any, **kwargs: Any) -> T:
            return self._run(fn, args, kwargs)

        return timed

    def _run(self, fn: Callable[..., T], args: Any, kwargs: Any) -> T:
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


@overload
def with_timeout(timeout: float, /, *, thread: bool = ..., max_threads: int = ...) -> Timeout: ...
@overload
def with_timeout(awaitable: Awaitable[T], timeout: float, /) -> Coroutine[Any, Any, T]: ...
@overload
def with_timeout(
    awaitable: Awaitable[T], timeout: float, default: D
) -> Coroutine[Any, Any, T | D]: ...
def with_timeout(
    awaitable: Any = MISSING,
    timeout: Any = MISSING,
    default: Any = MISSING,
    thread: bool = False,
    max_threads: int = _THREADS,
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
        ValueError: ``timeout`` is not above 0. (For an awaitable that is no error: its time
            is over at once.)

    Example:
        >>> import asyncio
        >>> asyncio.run(with_timeout(asyncio.sleep(1), 0.01, "too slow"))
        'too slow'
    """
    # The two common forms, for speed.
    if (
        timeout is MISSING
        and type(awaitable) is float
        and 0.0 < awaitable < _LONG
        and not thread
        and max_threads == _THREADS
    ):
        block = Timeout()
        block.seconds = awaitable
        block.task = block._others = None
        return block
    if type(awaitable) is CoroutineType and type(timeout) is float and timeout < _LONG:
        return limited(Owner(awaitable), timeout, default)
    if timeout is MISSING or awaitable is MISSING:
        seconds: Any = timeout if awaitable is MISSING else awaitable
        whole("max_threads", max_threads)
        block = InThread(max_threads) if thread else Timeout()
        block.seconds = number("timeout", seconds, above=0, most=_LONG)
        block.task = block._others = None
        return block
    try:
        awaited = awaitable
        if type(awaited) is not CoroutineType:
            if not hasattr(awaitable, "__await__"):
                raise TypeError(f"awaitable must be awaitable, not {awaitable!r}")
            awaited = as_coroutine(awaitable)  # pyright: ignore[reportArgumentType]
        number("timeout", timeout, most=_LONG)
    except BaseException:
        if isinstance(awaitable, CoroutineType):
            awaitable.close()
        raise
    return limited(Owner(awaited), timeout, default)
