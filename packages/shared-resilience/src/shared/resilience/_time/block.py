"""Time limits of blocks and of decorated functions."""

from __future__ import annotations

import threading
from contextlib import suppress
from time import monotonic
from types import TracebackType, coroutine
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from shared.core import forks
from shared.core.callables import describe

from .._policy.policy import Policy, admit_all, relaying
from .alarm import NO_TASK, Block, current_alarm, find_alarm, here, too_late
from .call import coroutine_of, limited
from .deadline import current, limit

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Generator

T = TypeVar("T")


@coroutine
def _done() -> Generator[None, None, None]:
    return
    yield


# What entering and leaving return to be awaited: a generator that is over can be awaited again
# and again, and nothing is faster.
_DONE: Coroutine[Any, Any, None] = cast("Coroutine[Any, Any, None]", _done())
next(_DONE, None)  # type: ignore[call-overload]
_sharing = threading.Lock()


@forks.after_fork
def _new_lock() -> None:
    global _sharing  # noqa: PLW0603 - the parent's may be held there
    _sharing = threading.Lock()


class Timeout(Policy, Block):
    """Calls that take longer end with `TimeoutError`. Returned by `with_timeout`."""

    __slots__ = ("_others", "seconds")

    name = "timeout"
    seconds: float
    below: Block | None

    # A block is the object itself: an object for each block, the usual way of use, costs no
    # second one. Those that enter it while it is entered get their own blocks, by task.
    _others: dict[asyncio.Task[Any], list[Block]] | None

    def __repr__(self) -> str:
        return f"<Timeout {self.seconds:g} s>"

    def _async(self, fn: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        seconds = self.seconds

        async def timed(*args: Any, **kwargs: Any) -> T:
            return await limited(coroutine_of(fn(*args, **kwargs)), seconds)  # type: ignore[no-any-return]

        return timed

    def _async_generator(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def stepping() -> Callable[[Any], Awaitable[Any]]:
            until = monotonic() + self.seconds

            def step(awaitable: Any) -> Awaitable[Any]:
                return limited(coroutine_of(awaitable), until - monotonic())

            return step

        return relaying(fn, admit_all, stepping)

    def _sync(self, fn: Callable[..., T]) -> Callable[..., T]:
        raise TypeError(
            f"{describe(fn)} is a plain function, which cannot be interrupted: make it"
            " async, use its own timeout, or pass thread=True to leave it behind in a thread"
        )

    def __aenter__(self) -> Coroutine[Any, Any, None]:
        left = self.seconds
        if current.get() is not None and (left := limit(left)) <= 0:
            raise too_late(self.seconds)
        # `current_alarm` and `Block.enter`, unrolled: an `asyncio.timeout` takes 4.04 times as long
        # as a new block, 3.87 times with the two calls; the bar is 4. And no other thread can come
        # in where nothing is called.
        try:
            alarm, thread = here.alarm
            loop = alarm.loop
            if loop._thread_id != thread:  # noqa: SLF001 - see `current_alarm`
                alarm = find_alarm()
                loop = alarm.loop
        except AttributeError:
            alarm = find_alarm()
            loop = alarm.loop
        task_of, clock = alarm.task_of, alarm.clock  # 20 ns less than a call through the dot
        task = task_of(loop)
        if task is None:
            raise RuntimeError(NO_TASK)
        now = clock()
        cancelling = task.cancelling()
        if self.task is not None or self._others:
            self._enter_another(alarm, task, left, now)
            return _DONE
        self.task = task
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
        """End the innermost block of the current task, where there are several."""
        with _sharing:
            others = self._others or {}
            task = self._ending_task(others)
            if task is None:
                return
            blocks = others.get(task)
            block = blocks.pop() if blocks else self
            if blocks == []:
                del others[task]
        if block.leave(exc):
            raise too_late(block.left) from exc

    def _ending_task(
        self, others: dict[asyncio.Task[Any], list[Block]]
    ) -> asyncio.Task[Any] | None:
        """Return the task whose block ends: the current one, or that of an async generator.

        An async generator may be ended by another task. It is unknown then which task owned
        the block: one that is over, or the only one.
        """
        with suppress(RuntimeError):  # collected outside of any loop
            alarm = current_alarm()
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

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Complete the protocol, so that `with` raises the message of `__enter__`."""
