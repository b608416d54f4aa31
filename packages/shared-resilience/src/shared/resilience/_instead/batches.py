"""Process a stream in batches, a few at a time, without reading ahead."""

from __future__ import annotations

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

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
R = TypeVar("R")


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
        if kind_of(self._processor) == "async" or not isinstance(self._items, Iterable):
            raise TypeError("items or processor is async: use `async for` or await it")
        source = iter(self._items)
        while batch := list(islice(source, self._size)):
            yield self._processor(batch)  # type: ignore[misc]

    async def __aiter__(self) -> AsyncGenerator[R, None]:
        """Process with up to `max_in_flight` batches at once."""
        import asyncio

        batches = self._batches()
        fetch: asyncio.Task[list[Any]] | None = None
        flying: deque[asyncio.Task[R]] = deque()
        exhausted = False
        try:
            while True:
                # Fetching goes on next to the work: a slow source delays no result.
                if not exhausted and fetch is None and len(flying) < self._width:
                    fetch = asyncio.create_task(_next(batches))
                awaited: set[asyncio.Task[Any]] = set()
                if fetch is not None:
                    awaited.add(fetch)
                awaited.update([flying[0]] if flying and self._ordered else flying)
                if not awaited:
                    return
                await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                if fetch is not None and fetch.done():
                    batch = fetch.result()
                    fetch = None
                    if batch:
                        flying.append(asyncio.create_task(self._process(batch)))
                    else:
                        exhausted = True
                while (task := self._finished(flying)) is not None:
                    flying.remove(task)
                    yield task.result()
        finally:
            await _cancel([*flying, *([fetch] if fetch is not None else [])])
            await batches.aclose()

    def _finished(self, flying: deque[asyncio.Task[R]]) -> asyncio.Task[R] | None:
        candidates = islice(flying, 1) if self._ordered else iter(flying)
        return next((task for task in candidates if task.done()), None)

    async def _process(self, batch: list[Any]) -> R:
        import asyncio

        if kind_of(self._processor) == "async":
            return await self._processor(batch)  # type: ignore[misc, no-any-return]
        result: Any = await asyncio.to_thread(self._processor, batch)
        return await result if inspect.isawaitable(result) else result  # type: ignore[no-any-return]

    async def _batches(self) -> AsyncGenerator[list[Any], None]:
        if isinstance(self._items, AsyncIterable):
            source: AsyncIterator[Any] = aiter(self._items)
            try:
                batch: list[Any] = []
                async for item in source:
                    batch.append(item)
                    if len(batch) == self._size:
                        yield batch
                        batch = []
                if batch:
                    yield batch
            finally:
                if isinstance(source, AsyncGenerator):
                    await source.aclose()
        else:
            items = iter(self._items)
            while taken := list(islice(items, self._size)):
                yield taken


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
    ready; `await process_in_batches(...)` returns the list of all; with a plain processor a
    plain `for` works too. At most `max_in_flight` batches exist at any time, finished
    ones that were not consumed yet included, so an endless source is fine. If a batch fails,
    its exception is raised where its result would be; the others are cancelled. The same
    happens when the loop is left early (inside `contextlib.aclosing` at once).

    Args:
        items: An iterable or async iterable.
        batch_size: Items per batch; the last one may be shorter.
        processor: Called with the list of items; async, or plain (then it runs in threads).
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


async def _next(batches: AsyncGenerator[list[Any], None]) -> list[Any]:
    return await anext(batches, [])


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    import asyncio

    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
