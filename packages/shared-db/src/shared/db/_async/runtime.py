"""What the generated code cannot derive: waiting, sleeping and background work, for asyncio."""

from __future__ import annotations

import asyncio
import math
import select
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from shared.core.loops import running_loop
from shared.core.waiting import TaskWaiter as Waiter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

T = TypeVar("T")

IS_ASYNC = True
current_task = asyncio.current_task

__all__ = [
    "IS_ASYNC",
    "Background",
    "Home",
    "Interrupter",
    "Waiter",
    "Watchful",
    "call",
    "current_task",
    "finished",
    "gather",
    "patiently",
    "readable",
    "redis_connections",
    "settled",
    "sleep",
]


class Home:
    """The event loop that connections belong to."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def moved(self) -> bool:
        """Report whether the loop that runs came after another, which is closed."""
        loop, before = running_loop(), self._loop
        if loop is before or loop is None:
            return False
        if before is not None and not before.is_closed():
            return False
        self._loop = loop
        return before is not None


class Background:
    """A function that runs in the background."""

    def __init__(self, name: str, function: Callable[[], Awaitable[Any]]) -> None:
        self._task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(
            _awaited(function), name=name
        )

    def done(self) -> bool:
        """Report whether it has ended."""
        return self._task.done()

    async def join(self, timeout: float | None = None) -> bool:
        """Wait for its end; report whether it came in time."""
        await asyncio.wait((self._task,), timeout=timeout)
        return self._task.done()


async def _awaited(function: Callable[[], Awaitable[Any]]) -> Any:
    return await function()


async def sleep(seconds: float) -> None:
    """Wait while other tasks run."""
    await asyncio.sleep(seconds)


async def finished(function: Callable[[], Awaitable[Any]], grace: float = 5.0) -> None:
    """Run a function to its end; a cancellation meanwhile is raised after it, or after `grace`."""
    task = asyncio.ensure_future(_awaited(function))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            done, _ = await asyncio.wait((task,), timeout=None if cancelled is None else grace)
        except asyncio.CancelledError as error:
            cancelled = error
        else:
            if not done:
                task.cancel()
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen
        raise cancelled
    task.result()


async def settled(result: Any) -> Any:
    """Return what a plain or an async function of the user gave."""
    return await result if hasattr(result, "__await__") else result


async def gather(calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T | BaseException]:
    """Make all calls at once; an error is a result."""
    return await asyncio.gather(*(call() for call in calls), return_exceptions=True)


async def call(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function that would block the loop, in a thread."""
    return await asyncio.to_thread(function, *arguments)


class Watchful:
    """A connection of redis-py that sees its server hang up and does not lose a cancellation."""

    def hung_up(self) -> bool:
        """Report whether the server ended the connection, even if the loop has not seen it yet.

        redis-py asks its stream reader, which knows what the loop has told it, and ignores what
        it learns when the server may announce maintenance.
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
            """Send a command; raise the cancellation that was swallowed meanwhile."""
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
        """Cancel the block, unless it has ended; again if a library swallowed that."""
        if not self._done and self._task is not None:
            self._cancelled += 1
            self._task.cancel()

    def end(self, error: BaseException | None) -> bool:
        """Note that the block has ended; report whether this ended it."""
        self._done = True
        left = 0
        if self._task is not None:
            for _ in range(self._cancelled):
                left = self._task.uncancel()
        return self._cancelled > 0 and isinstance(error, asyncio.CancelledError) and left == 0


async def readable(descriptor: int, timeout: float) -> bool:
    """Wait until there is something to read; report whether there is."""
    loop = asyncio.get_running_loop()
    waiter: Waiter[None] = Waiter()
    loop.add_reader(descriptor, waiter.give, None)
    try:
        return await waiter.wait(timeout)
    finally:
        loop.remove_reader(descriptor)


async def patiently(
    connection: Any,
    read: Callable[..., Awaitable[Any]],
    wait: float,
    arguments: Any,
    options: Any,
) -> Any:
    """Read the answer of a command of Redis that waits, beyond the usual time for answers."""
    usual = connection.socket_timeout
    connection.socket_timeout = None if usual is None or wait == math.inf else wait + usual
    try:
        return await read(*arguments, **options)
    finally:
        connection.socket_timeout = usual


def redis_connections(pool: Any) -> tuple[int, int]:
    """Return how many connections of redis-py's blocking pool are idle and in use."""
    return len(pool._available_connections), len(pool._in_use_connections)  # noqa: SLF001 - it has no public count
