"""Streams in both directions."""

from __future__ import annotations

from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias

from shared.core.checks import refuse
from shared.core.loops import Awaiter

from .._base.records import as_bytes

if TYPE_CHECKING:
    import asyncio
    from collections.abc import (
        AsyncIterable,
        AsyncIterator,
        Awaitable,
        Callable,
        Generator,
        Iterable,
        Iterator,
    )
    from types import TracebackType
    from typing import Self

CHUNK = 1 << 20


class Readable(Protocol):
    """A binary file, or anything that reads like one."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        ...


Data: TypeAlias = "bytes | bytearray | memoryview | Readable | Iterable[bytes]"
AsyncData: TypeAlias = "Data | AsyncIterable[bytes]"


def chunks(data: Any) -> Iterator[bytes | memoryview]:
    """Return the pieces of a stream: of a binary file, or of an iterable of bytes."""
    read = getattr(data, "read", None)
    if callable(read):
        return _pieces(iter(lambda: read(CHUNK), b""))
    if hasattr(data, "__aiter__"):
        raise TypeError("data must not be an asynchronous stream here: await aput(...)")
    try:
        return _pieces(iter(data))
    except TypeError:
        raise refuse("data", "bytes or a stream of bytes", data, TypeError) from None


def _pieces(parts: Iterator[Any]) -> Iterator[bytes | memoryview]:
    for part in parts:
        piece = as_bytes(part)
        if piece is None:
            raise refuse("a piece of data", "bytes", part, TypeError)
        yield piece


class Pulled:
    """An asynchronous stream, as the plain one that a thread reads while the loop runs.

    Args:
        data: The stream.
        loop: The loop it belongs to.
    """

    def __init__(self, data: AsyncIterable[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._iterator = data.__aiter__()
        self._awaiter = Awaiter(loop)

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._awaiter.run(anext(self._iterator, None))) is not None:
            yield piece

    def cancel(self) -> None:
        """Make the next piece, or the one that is waited for, raise in the thread."""
        self._awaiter.cancel()

    async def aclose(self) -> None:
        """End the stream, if it is a generator."""
        close = getattr(self._iterator, "aclose", None)
        if close is not None:
            with suppress(RuntimeError):  # it is running: cancelled, it ends by itself
                await close()


class AsyncReader:
    """An open object: `async with`, `await read(size)`, and `async for` over pieces of 1 MiB.

    Example:
        >>> import asyncio
        >>> from shared.storage import MemoryStore
        >>> async def main():
        ...     store = MemoryStore()
        ...     await store.aput("greeting", b"hello")
        ...     async with await store.aopen("greeting") as stream:
        ...         return await stream.read(4)
        >>> asyncio.run(main())
        b'hell'
    """

    def __init__(self, stream: IO[bytes], call: Callable[..., Awaitable[Any]]) -> None:
        self._stream = stream
        self._call = call

    async def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, all that is left if it is negative, none at the end."""
        data: bytes = await self._call(self._stream.read, size)
        return data

    async def seek(self, offset: int, whence: int = 0) -> int:
        """Move to another place, as a file does; return the new one."""
        place: int = await self._call(self._stream.seek, offset, whence)
        return place

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._stream.tell()

    async def close(self) -> None:
        """Close it."""
        await self._call(self._stream.close)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self.read(CHUNK):
            yield piece

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class Opening:
    """What `aopen` returns: awaited, or entered with `async with`, it is an `AsyncReader`."""

    def __init__(self, start: Callable[[], Awaitable[AsyncReader]]) -> None:
        self._start = start
        self._reader: AsyncReader | None = None

    def __await__(self) -> Generator[Any, None, AsyncReader]:
        return self._start().__await__()

    async def __aenter__(self) -> AsyncReader:
        self._reader = await self._start()
        return self._reader

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._reader is not None:
            await self._reader.close()
