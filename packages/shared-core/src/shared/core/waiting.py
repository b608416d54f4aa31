"""Waiting lines that threads and tasks of any event loop share."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from .loops import running_loop

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Waiter(Generic[T]):
    """A thread or a task that waits.

    Args:
        amount: How much it waits for, such as the permits of a limiter.

    Attributes:
        given: Whether it has been given something.
        value: What it was given.
        loop: The event loop of a task; None for a thread.
    """

    __slots__ = ("amount", "given", "loop", "value")

    value: T

    def __init__(self, amount: int = 1, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.amount: int = amount
        self.given: bool = False
        self.loop: asyncio.AbstractEventLoop | None = loop

    def give(self, value: T) -> None:
        """Hand something over and end the wait; once, from anywhere, under the owner's lock.

        Raises:
            RuntimeError: The task's event loop is closed: nothing was handed over.
        """
        self.value = value
        self.given = True
        try:
            self._call()
        except RuntimeError:
            self.given = False
            raise

    def wake(self) -> None:
        """End the present or next wait, without giving; from anywhere, any number of times."""
        with suppress(RuntimeError):  # the loop is closed: no task waits any more
            self._call()

    def _call(self) -> None:
        raise NotImplementedError


class ThreadWaiter(Waiter[T]):
    """A waiter that blocks its thread.

    Example:
        >>> waiter = ThreadWaiter()
        >>> waiter.give("a connection")
        >>> waiter.wait(5), waiter.value
        (True, 'a connection')
    """

    __slots__ = ("_event",)

    def __init__(self, amount: int = 1) -> None:
        super().__init__(amount)
        self._event = threading.Event()

    def _call(self) -> None:
        self._event.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until woken, or for `timeout` seconds (None, inf: no limit); return `given`."""
        if timeout is None or timeout > threading.TIMEOUT_MAX:
            self._event.wait()
        else:
            self._event.wait(max(0.0, timeout))
        self._event.clear()
        return self.given


class TaskWaiter(Waiter[T]):
    """A waiter that suspends its task. Made in the loop where it waits."""

    __slots__ = ("_future", "_home", "_woken")

    def __init__(self, amount: int = 1) -> None:
        loop = running_loop()
        if loop is None:
            raise RuntimeError("no event loop runs in this thread")
        super().__init__(amount, loop)
        self._home = loop
        self._future: asyncio.Future[None] | None = None
        self._woken = False

    def _call(self) -> None:
        if running_loop() is self._home:
            self._wake()
        else:
            self._home.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._woken = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - as of a thread
        """Suspend until woken, or for `timeout` seconds (None, inf: no limit); return `given`."""
        if not self._woken and not self.given:
            self._future = self._home.create_future()
            timer = None
            if timeout is not None and timeout <= threading.TIMEOUT_MAX:
                timer = self._home.call_later(max(0.0, timeout), self._wake)
            try:
                await self._future
            finally:
                self._future = None
                if timer is not None:
                    timer.cancel()
        self._woken = False
        return self.given


class Line(Generic[T]):
    """Waiters, first come first served. The owner's lock is held around every call."""

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: deque[Waiter[T]] = deque()

    def __len__(self) -> int:
        return len(self.waiters)

    def head(self) -> Waiter[T] | None:
        """Return the first; waiters whose event loop is closed are dropped."""
        while self.waiters:
            first = self.waiters[0]
            if first.loop is None or not first.loop.is_closed():
                return first
            self.waiters.popleft()
        return None

    def join(self, waiter: Waiter[T]) -> None:
        """Add a waiter at the end; a thread that blocks its event loop goes before its tasks."""
        if waiter.loop is None and (own := running_loop()) is not None:
            for place, other in enumerate(self.waiters):
                if other.loop is own:
                    self.waiters.insert(place, waiter)
                    return
        self.waiters.append(waiter)

    def leave(self, waiter: Waiter[T]) -> None:
        """Remove a waiter, if it is there; wake the next one if it was the first."""
        was_first = bool(self.waiters) and self.waiters[0] is waiter
        with suppress(ValueError):
            self.waiters.remove(waiter)
            if was_first and (head := self.head()) is not None:
                head.wake()
