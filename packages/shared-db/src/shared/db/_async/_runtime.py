# ruff: noqa: ASYNC109 - the synchronous form has no scopes to cancel
"""What the generated code cannot derive: waiting, sleeping and running beside, for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

T = TypeVar("T")

IS_ASYNC = True
current_task = asyncio.current_task
Cancelled: tuple[type[BaseException], ...] = (asyncio.CancelledError,)


class Waiter(Generic[T]):
    """One who waits for one thing, given at most once."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def give(self, value: T) -> None:
        """Ends the wait."""
        if not self._future.done():
            self._future.set_result(value)

    @property
    def given(self) -> bool:
        """Whether the wait has ended."""
        return self._future.done() and not self._future.cancelled()

    def value(self) -> T:
        """What was given."""
        return self._future.result()

    async def wait(self, timeout: float | None) -> bool:
        """Waits; tells whether something was given in time."""
        if not self._future.done():
            await asyncio.wait((self._future,), timeout=timeout)
        return self._future.done()


class Background:
    """A function that runs beside the caller."""

    def __init__(self, name: str, function: Callable[[], Awaitable[Any]]) -> None:
        self._task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(
            _awaited(function), name=name
        )

    def done(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    async def join(self, timeout: float | None = None) -> bool:
        """Waits for its end; tells whether it came in time."""
        await asyncio.wait((self._task,), timeout=timeout)
        return self._task.done()


async def _awaited(function: Callable[[], Awaitable[Any]]) -> Any:
    return await function()


async def sleep(seconds: float) -> None:
    """Waits without holding anybody up."""
    await asyncio.sleep(seconds)


async def gather(calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T | BaseException]:
    """Makes all calls at once; an error is a result."""
    return await asyncio.gather(*(call() for call in calls), return_exceptions=True)


async def call(function: Callable[..., T], *arguments: Any) -> T:
    """Calls a function that would hold the loop up: in a thread."""
    return await asyncio.to_thread(function, *arguments)


@contextlib.asynccontextmanager
async def deadline(seconds: float | None) -> AsyncIterator[None]:
    """Ends its body with TimeoutError after that time."""
    async with asyncio.timeout(seconds):
        yield


class Watchful:
    """A connection of redis-py that sees its server hang up and does not lose a cancellation."""

    def hung_up(self) -> bool:
        """Whether the server ended the connection, also when the loop has not come to see it.

        redis-py asks its stream reader, which knows what the loop has told it, and passes over
        what it learns when the server may announce maintenance.
        """
        descriptor = self._writer.get_extra_info("socket").fileno()  # type: ignore[attr-defined]
        if descriptor < 0:
            return True
        poll = select.poll()
        poll.register(descriptor, getattr(select, "POLLRDHUP", 0))  # an end; not what is published
        return bool(poll.poll(0))

    if sys.version_info < (3, 12):
        # It sends through `asyncio.wait_for`, which swallows a cancellation that comes at the
        # moment it ends: the call would go on to wait for its answer.
        async def send_packed_command(self, *arguments: Any, **keywords: Any) -> None:
            """Sends."""
            task = asyncio.current_task()
            before = task.cancelling() if task is not None else 0
            await super().send_packed_command(*arguments, **keywords)  # type: ignore[misc]
            if task is not None and task.cancelling() > before:
                await self.disconnect(nowait=True)  # type: ignore[attr-defined]
                raise asyncio.CancelledError


class Interrupter:
    """Ends the block of another task from outside: cancels the task that made this."""

    def __init__(self, _kind: type[BaseException]) -> None:
        self._task = asyncio.current_task()
        self._done = False
        self._cancelled = 0

    def interrupt(self) -> None:
        """Cancels the block, unless it has ended; again when a library swallowed that."""
        if not self._done and self._task is not None:
            self._cancelled += 1
            self._task.cancel()

    def end(self, error: BaseException | None) -> bool:
        """The block has ended; tells whether it did because of us."""
        self._done = True
        left = 0
        if self._task is not None:
            for _ in range(self._cancelled):
                left = self._task.uncancel()
        return self._cancelled > 0 and isinstance(error, asyncio.CancelledError) and left == 0


async def readable(descriptor: int, timeout: float) -> bool:
    """Waits until there is something to read."""
    loop = asyncio.get_running_loop()
    waiter: Waiter[None] = Waiter()
    loop.add_reader(descriptor, waiter.give, None)
    try:
        return await waiter.wait(timeout)
    finally:
        loop.remove_reader(descriptor)


def redis_connections(pool: Any) -> tuple[int, int]:
    """How many connections of redis-py's blocking pool are idle and in use."""
    return len(pool._available_connections), len(pool._in_use_connections)  # noqa: SLF001
