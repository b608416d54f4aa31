"""Seeing what others change: two looks at the keys, compared."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from shared.core.waiting import TaskWaiter, ThreadWaiter

from .._base.records import Event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Self


class Watch:
    """Events without end: `for` in threads, `async for` in tasks, until `close()`.

    Also a context manager, in both colours, that closes it. Several changes of one key between
    two looks are one event. `close()`, from anywhere, ends the wait of another thread or task.

    Example:
        >>> from shared.storage import MemoryStore
        >>> store = MemoryStore()
        >>> with store.watch("in/") as events:
        ...     _ = store.put("in/1", b"new")
        ...     print(next(events))
        Event(kind='created', key='in/1')
    """

    def __init__(
        self,
        look: Callable[[], dict[str, str]],
        subscribe: Callable[[Callable[[], None]], Callable[[], None]],
        call: Callable[..., Awaitable[Any]],
        interval: float,
    ) -> None:
        self._look = look
        self._subscribe = subscribe
        self._call = call
        self._interval = interval
        self._known: dict[str, str] | None = None
        self._events: deque[Event] = deque()
        self._waiter: ThreadWaiter[None] | TaskWaiter[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._closed = False

    def start(self) -> Self:
        """Take the first look: what is there now is not an event."""
        if self._known is None:
            self._unsubscribe = self._subscribe(self._wake)
            self._known = self._look()
        return self

    def close(self) -> None:
        """End it."""
        self._closed = True
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None:
            self._waiter.wake()

    def _compare(self) -> None:
        known, seen = self._known or {}, self._look()
        for key in sorted(seen.keys() | known.keys()):
            if key not in known:
                self._events.append(Event("created", key))
            elif key not in seen:
                self._events.append(Event("deleted", key))
            elif seen[key] != known[key]:
                self._events.append(Event("changed", key))
        self._known = seen

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        self.start()
        if self._waiter is None:
            self._waiter = waiter = ThreadWaiter[None]()
            self._compare()  # what came before there was one to be woken
        else:
            assert isinstance(self._waiter, ThreadWaiter)
            waiter = self._waiter
        while not self._events and not self._closed:
            waiter.wait(self._interval)
            if not self._closed:
                self._compare()
        if not self._events:
            raise StopIteration
        return self._events.popleft()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._known is None:
            await self._call(self.start)
        if self._waiter is None:
            self._waiter = waiter = TaskWaiter[None]()
            await self._call(self._compare)
        else:
            assert isinstance(self._waiter, TaskWaiter)
            waiter = self._waiter
        while not self._events and not self._closed:
            await waiter.wait(self._interval)
            if not self._closed:
                await self._call(self._compare)
        if not self._events:
            raise StopAsyncIteration
        return self._events.popleft()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await self._call(self.start)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
