# ruff: noqa: SLF001  the modules of one package know each other's inside
"""A waiting line that threads and tasks of any event loop share, first come first served."""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class Waiter:
    """One thread or task in the line.

    ``wake`` may be called from anywhere, any number of times; a wait that follows a wake
    returns at once.
    """

    __slots__ = ("amount", "granted", "loop")

    def __init__(self, amount: int) -> None:
        self.amount = amount
        self.granted = False
        self.loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """End the present or next wait."""
        raise NotImplementedError


class ThreadWaiter(Waiter):
    """A waiter that blocks its thread."""

    __slots__ = ("_event",)

    def __init__(self, amount: int) -> None:
        super().__init__(amount)
        self._event = threading.Event()

    def wake(self) -> None:
        """End the present or next wait."""
        self._event.set()

    def wait(self, seconds: float | None) -> None:
        """Block until woken, or for ``seconds``."""
        self._event.wait(seconds)
        self._event.clear()


class TaskWaiter(Waiter):
    """A waiter that suspends its task."""

    __slots__ = ("_future", "_woken")

    def __init__(self, amount: int) -> None:
        super().__init__(amount)
        self.loop = running_loop()
        self._future: asyncio.Future[None] | None = None
        self._woken = False

    def wake(self) -> None:
        """End the present or next wait, in the waiter's own loop."""
        assert self.loop is not None
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._woken = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float | None) -> None:
        """Suspend until woken, or for ``seconds``."""
        assert self.loop is not None
        if not self._woken:
            self._future = self.loop.create_future()
            timer = None if seconds is None else self.loop.call_later(seconds, self._wake)
            try:
                await self._future
            finally:
                self._future = None
                if timer is not None:
                    timer.cancel()
        self._woken = False


class Line:
    """The waiters in their order. All methods are called with the owner's lock held."""

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self.waiters)

    def head(self) -> Waiter | None:
        """Return who is next; waiters whose event loop is closed are dropped."""
        waiters = self.waiters
        while waiters:
            first = waiters[0]
            if first.loop is None or not first.loop.is_closed():
                return first
            waiters.popleft()
        return None

    def join(self, waiter: Waiter) -> None:
        """Add at the end.

        A thread that runs an event loop and blocks keeps that loop's tasks from moving:
        it goes in front of them, or all would wait for each other.
        """
        if waiter.loop is None and (own := running_loop()) is not None:
            for place, other in enumerate(self.waiters):
                if other.loop is own:
                    self.waiters.insert(place, waiter)
                    return
        self.waiters.append(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Remove the waiter, wherever it is, and wake who is first then."""
        was_first = bool(self.waiters) and self.waiters[0] is waiter
        try:
            self.waiters.remove(waiter)
        except ValueError:
            return
        if was_first and (head := self.head()) is not None:
            head.wake()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, without importing asyncio for it."""
    module = sys.modules.get("asyncio")
    if module is None:
        return None
    loop: asyncio.AbstractEventLoop | None = module._get_running_loop()
    return loop
