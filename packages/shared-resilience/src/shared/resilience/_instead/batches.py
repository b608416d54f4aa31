"""Process a stream in batches, a few at a time, without reading ahead."""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from shared.core.callables import kind_of
from shared.core.checks import function, refuse, whole

from .._base.later import is_later

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
R = TypeVar("R")
_ASYNC = ("async", "async_generator")
_NOT_PLAIN = "items or processor is async: use `async for` or await it"


class Batches(Generic[R]):
    """The results of `process_in_batches`: iterate over it once, or await it."""

    def __init__(
        self,
        items: Iterable[Any] | AsyncIterable[Any],
        batch_size: int,
        processor: Callable[[list[Any]], Awaitable[R] | R],
        max_in_flight: int,
        *,
        ordered: bool,
    ) -> None:
        self._items = items
        self._size = batch_size
        self._processor = processor
        self._width = max_in_flight
        self._ordered = ordered

    def __await__(self) -> Generator[Any, None, list[R]]:
        """Process everything and return the list of results."""

        async def collect() -> list[R]:
            return [result async for result in self]

        return collect().__await__()

    def __iter__(self) -> Iterator[R]:
        """Process in plain code, one batch after the other, each when it is requested."""
        if not isinstance(self._items, Iterable) or kind_of(self._processor) in _ASYNC:
            raise TypeError(_NOT_PLAIN)
        source = iter(self._items)
        while batch := list(islice(source, self._size)):
            result: Any = self._processor(batch)
            if is_later(result) or isinstance(result, AsyncIterator):
                getattr(result, "close", bool)()  # a coroutine that is never awaited
                raise TypeError(_NOT_PLAIN)
            yield result

    async def __aiter__(self) -> AsyncGenerator[R, None]:
        """Process with up to `max_in_flight` batches at once."""
        import asyncio

        changed = asyncio.Event()
        size = self._size if isinstance(self._items, AsyncIterable) else 0
        source: _Flow[list[Any]] = _Flow(self._source, size, 0, changed)
        flying: deque[_Flow[R]] = deque()
        asked = False
        try:
            while True:
                changed.clear()
                if source.ready:
                    asked = False
                    results = functools.partial(self._processed, source.ready.popleft())
                    flying.append(_Flow(results, 0, self._size, changed))
                # Fetching goes on next to the work: a slow source delays no result.
                if not asked and len(flying) < self._width:
                    asked = True
                    source.room.release()
                if (flow := self._with_news(flying)) is not None:
                    if flow.ready:
                        flow.room.release()
                        yield flow.ready.popleft()
                    else:
                        flying.remove(flow)
                        flow.task.result()  # raises, if the batch failed
                elif source.task.done() and not flying and not source.ready:
                    source.task.result()
                    return
                else:
                    await changed.wait()
        finally:
            ended = [source.cancel(), *(flow.cancel() for flow in flying)]
            await asyncio.gather(*ended, return_exceptions=True)

    def _with_news(self, flying: deque[_Flow[R]]) -> _Flow[R] | None:
        candidates = islice(flying, 1) if self._ordered else iter(flying)
        return next((flow for flow in candidates if flow.ready or flow.task.done()), None)

    async def _processed(self, batch: list[Any]) -> Any:
        import asyncio

        result: Any
        if kind_of(self._processor) in _ASYNC:
            result = self._processor(batch)
        else:
            result = await asyncio.to_thread(self._processor, batch)
        return await result if inspect.isawaitable(result) else result

    async def _source(self) -> AsyncIterator[Any]:
        if isinstance(self._items, AsyncIterable):
            return aiter(self._items)
        return _slices(self._items, self._size)


@overload
def process_in_batches(
    items: Iterable[T] | AsyncIterable[T],
    batch_size: int,
    processor: Callable[[list[T]], AsyncIterator[R]],
    *,
    max_in_flight: int = ...,
    ordered: bool = ...,
) -> Batches[R]: ...
@overload
def process_in_batches(
    items: Iterable[T] | AsyncIterable[T],
    batch_size: int,
    processor: Callable[[list[T]], Awaitable[R]],
    *,
    max_in_flight: int = ...,
    ordered: bool = ...,
) -> Batches[R]: ...
@overload
def process_in_batches(
    items: Iterable[T] | AsyncIterable[T],
    batch_size: int,
    processor: Callable[[list[T]], R],
    *,
    max_in_flight: int = ...,
    ordered: bool = ...,
) -> Batches[R]: ...
def process_in_batches(
    items: Iterable[Any] | AsyncIterable[Any],
    batch_size: int,
    processor: Callable[[list[Any]], Any],
    *,
    max_in_flight: int = 1,
    ordered: bool = True,
) -> Batches[Any]:
    """Process items in batches; lazy, bounded, and safe to leave at any point.

    `async for result in process_in_batches(...)` yields one result per batch when it is
    ready, and all that an async generator as `processor` yields; `await process_in_batches(...)` returns the list of all; with a plain processor a
    plain `for` works too. At most `max_in_flight` batches exist at any time, finished
    ones that were not consumed yet included, so an endless source is fine. If a batch fails,
    its exception is raised where its result would be; the others are cancelled. The same
    happens when the loop is left early (inside `contextlib.aclosing` at once). A source that fails
    raises after the results of what it gave before. An async source runs in one task from its first
    step to its last, an async generator that processes a batch too: they may use time limits, cancel
    scopes and context variables.

    Args:
        items: An iterable or async iterable.
        batch_size: Items per batch; the last one may be shorter.
        processor: Called with the list of items; async, an async generator, or plain (then it
            runs in threads).
        max_in_flight: Batches at once.
        ordered: Yield results in the order of the items; `False`: as they come.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> list(process_in_batches(range(5), 2, sum))
        [1, 5, 4]
    """
    function("processor", processor)
    if not isinstance(items, (Iterable, AsyncIterable)):
        raise refuse("items", "iterable", items, TypeError)
    return Batches(
        items,
        whole("batch_size", batch_size),
        processor,
        whole("max_in_flight", max_in_flight),
        ordered=ordered,
    )


class _Flow(Generic[R]):
    """The items of an async iterator, whose steps all run in one task.

    Its time limits, cancel scopes and context variables would be lost between two tasks.

    Args:
        start: Returns the iterator; what is none is the only item.
        size: How many of its items make one here, a list; 0: each is one.
        room: How many items may be made that were not requested yet.
        changed: Set when there is an item, or the end.
    """

    def __init__(
        self, start: Callable[[], Awaitable[Any]], size: int, room: int, changed: asyncio.Event
    ) -> None:
        import asyncio

        self.ready: deque[R] = deque()
        self.room = asyncio.Semaphore(room)
        self._changed = changed
        self._ending = False
        self.task = asyncio.create_task(self._run(start, size))
        self.task.add_done_callback(lambda _: changed.set())

    def cancel(self) -> asyncio.Task[None]:
        self._ending = True
        self.task.cancel()
        return self.task

    async def _run(self, start: Callable[[], Awaitable[Any]], size: int) -> None:
        steps = await start()
        if not isinstance(steps, AsyncIterator):
            self._add(steps)
            return
        batch: list[Any] = []
        thrown = await self._until_room(steps)
        try:
            while True:
                item = await (anext(steps) if thrown is None else steps.athrow(thrown))  # type: ignore[attr-defined]
                thrown = None
                batch.append(item)
                if not size:
                    self._add(batch.pop())
                elif len(batch) == size:
                    self._add(batch)
                    batch = []
                if not batch:
                    thrown = await self._until_room(steps)
        except StopAsyncIteration:
            if batch:
                self._add(batch)
        finally:
            if isinstance(steps, AsyncGenerator):
                await steps.aclose()

    async def _until_room(self, steps: Any) -> BaseException | None:
        """Wait until the next step is wanted; return what a time limit of the generator raises."""
        from asyncio import CancelledError

        try:
            await self.room.acquire()
        except CancelledError as exc:
            if self._ending or not isinstance(steps, AsyncGenerator):
                raise
            return exc
        return None

    def _add(self, item: Any) -> None:
        self.ready.append(item)
        self._changed.set()


async def _slices(items: Iterable[Any], size: int) -> AsyncGenerator[list[Any], None]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
