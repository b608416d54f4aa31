"""The face of a store."""

from __future__ import annotations

import time
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, TypeVar, overload

from shared.core.checks import refuse, seconds, whole
from shared.core.loops import running_loop

from .._base.errors import KeyNotFound, NotSupported
from .._base.keys import check_key, check_prefix
from .._base.records import PLAIN, Stat, Terms, as_bytes, terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from datetime import timedelta
    from types import TracebackType
    from typing import Self

    from .locking import Held, Lock
    from .streams import AsyncData, AsyncReader, Data, Opening
    from .watching import Watch

T = TypeVar("T")

_PAGE = 200


class Store:
    """Objects under keys: the face of `MemoryStore`, `FileStore` and `ObjectStore`.

    Every method has an asynchronous twin, named with an `a`: `get` and `aget`. A key is 1 to 1,024
    bytes of text in parts between `/`; it is a name, never a path.

    Your own store is a subclass with the methods that raise NotImplementedError here.
    """

    _longest_pause = 0.02  # seconds between two attempts at a lock

    # What a store implements: keys and terms are checked.

    def _put(self, key: str, data: bytes | memoryview, terms: Terms) -> Stat:
        raise NotImplementedError

    def _put_stream(self, key: str, parts: Iterator[bytes | memoryview], terms: Terms) -> Stat:
        raise NotImplementedError

    def _list(self, prefix: str, after: str) -> Iterator[Stat]:
        raise NotImplementedError

    def _range(self, key: str, start: int, end: int | None) -> bytes:
        raise NotImplementedError

    def _copy(self, source: str, target: str, terms: Terms, *, move: bool) -> Stat:
        raise NotImplementedError

    def _try_lock(self, key: str) -> Held | None:
        raise NotImplementedError

    def _url(self, key: str, expires: float) -> str:  # noqa: ARG002 - for stores that have them
        name = type(self).__name__
        raise NotSupported(f"a {name} has no URLs: an ObjectStore on S3, GCS or Azure has")

    def get(self, key: str) -> bytes:
        """Return the content of an object.

        Raises:
            KeyNotFound: There is none.
            ChecksumMismatch: It is not what was written.
        """
        raise NotImplementedError

    def stat(self, key: str) -> Stat:
        """Return what is known about an object, without its content; a KeyNotFound if there is none."""
        raise NotImplementedError

    def open(self, key: str) -> IO[bytes]:
        """Open an object as a binary file that is read piece by piece; a KeyNotFound if there is none.

        Read to the end without a seek, it is checked as in `get`.
        """
        raise NotImplementedError

    def delete(self, key: str, *, missing_ok: bool = False) -> None:
        """Remove an object.

        Args:
            key: Its key.
            missing_ok: It is no fault if there is none.

        Raises:
            KeyNotFound: There is none.
        """
        raise NotImplementedError

    # What all stores share.

    def put(
        self,
        key: str,
        data: Data,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        metadata: Mapping[str, str] | None = None,
        ttl: float | timedelta | None = None,
    ) -> Stat:
        """Write an object: readers see the old one or the new one, whole.

        Args:
            key: Its key.
            data: Its content: bytes, a binary file, or an iterable of bytes.
            if_absent: Write it only if there is none.
            if_match: Write it only if this is still its etag.
            metadata: Names like `content-type` and short texts, kept with it.
            ttl: The seconds until it ends by itself.

        Returns:
            What is known about it now.

        Raises:
            InvalidKey: The key is not one.
            PreconditionFailed: Of `if_absent` or `if_match`; nothing was written.

        Example:
            >>> from shared.storage import MemoryStore
            >>> store = MemoryStore()
            >>> first = store.put("jobs/1", b"new", if_absent=True)
            >>> store.put("jobs/1", b"done", if_match=first.etag).size
            4
        """
        check_key(key)
        asked = self._terms(if_absent, if_match, metadata, ttl)
        found = as_bytes(data)
        if found is None:
            from .streams import chunks

            return self._put_stream(key, chunks(data), asked)
        return self._put(key, found, asked)

    def get_range(self, key: str, start: int, end: int | None = None) -> bytes:
        """Return the bytes from `start` to before `end`; fewer, or none, where the object is shorter.

        Args:
            key: The key.
            start: The place of the first byte, from 0.
            end: The place after the last byte; None for the end of the object.

        Raises:
            KeyNotFound: There is no such object.

        Example:
            >>> from shared.storage import MemoryStore
            >>> store = MemoryStore()
            >>> _ = store.put("digits", b"0123456789")
            >>> store.get_range("digits", 2, 5)
            b'234'
        """
        check_key(key)
        start = whole("start", start, least=0)
        if end is not None:
            end = whole("end", end, least=start)
        return self._range(key, start, end)

    def exists(self, key: str) -> bool:
        """Whether there is an object of this key."""
        try:
            self.stat(key)
        except KeyNotFound:
            return False
        return True

    def copy(self, source: str, target: str, *, if_absent: bool = False) -> Stat:
        """Write an object's content and metadata under another key too; returns the new one's Stat.

        Raises:
            KeyNotFound: There is no `source`.
            PreconditionFailed: There is a `target`, with `if_absent`.
        """
        return self._copy(
            check_key(source, "source"), check_key(target, "target"), Terms(if_absent), move=False
        )

    def move(self, source: str, target: str, *, if_absent: bool = False) -> Stat:
        """Write an object under another key and remove it under the old one; as `copy`.

        A process that is killed meanwhile leaves it under one of the two, or under both.
        """
        return self._copy(
            check_key(source, "source"), check_key(target, "target"), Terms(if_absent), move=True
        )

    def list(
        self, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> Iterator[Stat]:
        """Return what is known about objects, lazily, in the order of their keys.

        The order is that of their bytes in UTF-8. Objects that come or go meanwhile may be in it;
        all others are, once.

        Args:
            prefix: The beginning of the keys.
            after: Only keys after this one: the last of the page before.
            limit: The most that are returned.

        Example:
            >>> from shared.storage import MemoryStore
            >>> store = MemoryStore()
            >>> for key in ("b/2", "a", "b/1"):
            ...     _ = store.put(key, b"")
            >>> [stat.key for stat in store.list("b/")]
            ['b/1', 'b/2']
        """
        check_prefix(prefix)
        check_prefix(after, "after")
        if limit is not None:
            limit = whole("limit", limit, least=0)
        return islice(self._list(prefix, after), limit)

    def url(self, key: str, *, expires: float | timedelta = 3600) -> str:
        """Return a URL by which anybody can read the object for `expires` seconds, at most a week.

        Raises:
            NotSupported: The store is not an `ObjectStore` on S3, GCS or Azure.
        """
        check_key(key)
        lasting = seconds("expires", expires, above=0)
        if lasting > 604_800:
            raise refuse("expires", "at most 604800 seconds (7 days)", lasting)
        return self._url(key, lasting)

    def put_json(
        self,
        key: str,
        value: Any,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        metadata: Mapping[str, str] | None = None,
        ttl: float | timedelta | None = None,
        dumps: Callable[[Any], bytes | str] | None = None,
    ) -> Stat:
        """Write a value as JSON.

        Args:
            key: Its key.
            value: The value.
            if_absent: As of `put`.
            if_match: As of `put`.
            metadata: As of `put`.
            ttl: As of `put`.
            dumps: Makes text or bytes of the value, instead of JSON.

        Raises:
            TypeError: There is no JSON for a part of it.
            InvalidJSON: NaN or infinity.
        """
        from .._base.jsontext import render

        data = render(value, key) if dumps is None else dumps(value)
        return self.put(
            key,
            data.encode() if isinstance(data, str) else data,
            if_absent=if_absent,
            if_match=if_match,
            metadata=metadata,
            ttl=ttl,
        )

    @overload
    def get_json(self, key: str, *, loads: Callable[[bytes], Any] | None = None) -> Any: ...
    @overload
    def get_json(
        self, key: str, type: Callable[..., T], *, loads: Callable[[bytes], Any] | None = None
    ) -> T: ...
    def get_json(self, key: str, type: Any = None, *, loads: Any = None) -> Any:  # noqa: A002 - the name that callers write
        """Return the value of an object of JSON.

        Args:
            key: Its key.
            type: What it must be, or becomes: a class, a dataclass, a pydantic model, or any
                callable, such as `TypeAdapter(list[Order]).validate_python`.
            loads: Makes the value of the bytes, instead of JSON.

        Raises:
            KeyNotFound: There is none.
            InvalidJSON: It is not JSON; with line and column.
            TypeError: It is not of the type.

        Example:
            >>> from shared.storage import MemoryStore
            >>> store = MemoryStore()
            >>> _ = store.put_json("limits", {"rate": 5})
            >>> store.get_json("limits", dict)
            {'rate': 5}
        """
        from .._base.jsontext import convert, parse

        data = self.get(key)
        value = parse(data, key) if loads is None else loads(data)
        return value if type is None else convert(value, type, key)

    def lock(self, key: str, *, timeout: float | timedelta | None = None) -> Lock:
        """Return the lock of a key: for `with`, and for `async with`.

        It has nothing to do with the object of that key, which need not exist. All users of the
        store share it: other threads, and other processes for files and object stores. It ends
        when its process does, however that ends.

        Args:
            key: The key.
            timeout: The most seconds to wait for it, at each use; None for no limit.

        Returns:
            A lock, not yet held: entering raises LockTimeout if it was not free in time.
        """
        from .locking import Lock

        return Lock(check_key(key), self._try_lock, self._call, timeout, self._longest_pause)

    def watch(self, prefix: str = "", *, interval: float | timedelta = 1.0) -> Watch:
        """Return the changes from now on: created, changed and deleted objects.

        It keeps the keys and etags below the prefix in memory.

        Args:
            prefix: The beginning of the keys.
            interval: The most seconds between two looks. `MemoryStore` looks at once, and
                `FileStore` does with the extra `watch`.
        """
        return self._watch(prefix, interval).start()

    # The asynchronous half.

    async def _call(self, fn: Callable[..., T], *args: Any, **keywords: Any) -> T:
        """Call a function of the store without blocking the loop."""
        return await self._in_thread(fn, *args, **keywords)

    async def _in_thread(self, fn: Callable[..., T], *args: Any, **keywords: Any) -> T:
        import asyncio

        return await asyncio.to_thread(fn, *args, **keywords)

    async def aput(
        self,
        key: str,
        data: AsyncData,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        metadata: Mapping[str, str] | None = None,
        ttl: float | timedelta | None = None,
    ) -> Stat:
        """Do as `put`; the data may also be an asynchronous stream of bytes.

        If the task is cancelled, a stream is given up and leaves nothing; bytes may be written yet.
        """
        check_key(key)
        asked = self._terms(if_absent, if_match, metadata, ttl)
        if hasattr(type(data), "__aiter__"):
            return await self._aput_stream(key, data, asked)
        found = as_bytes(data)
        if found is None:
            from .streams import chunks

            return await self._in_thread(self._put_stream, key, chunks(data), asked)
        return await self._call(self._put, key, found, asked)

    async def _aput_stream(self, key: str, data: Any, asked: Terms) -> Stat:
        import asyncio

        from .streams import Pulled, chunks

        loop = running_loop()
        assert loop is not None
        pulled = Pulled(data, loop)
        writing = asyncio.ensure_future(
            self._in_thread(self._put_stream, key, chunks(pulled), asked)
        )
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            pulled.cancel()
            await asyncio.wait([writing])
            if not writing.cancelled():
                writing.exception()  # seen: it was given up
            raise
        finally:
            await pulled.aclose()

    async def aget(self, key: str) -> bytes:
        """Do as `get`."""
        return await self._call(self.get, key)

    async def aget_range(self, key: str, start: int, end: int | None = None) -> bytes:
        """Do as `get_range`."""
        return await self._call(self.get_range, key, start, end)

    def aopen(self, key: str) -> Opening:
        """Open an object in a task: `async with store.aopen(key) as stream`, or `await` it."""
        from .streams import AsyncReader, Opening

        async def start() -> AsyncReader:
            return AsyncReader(await self._call(self.open, key), self._call)

        return Opening(start)

    async def astat(self, key: str) -> Stat:
        """Do as `stat`."""
        return await self._call(self.stat, key)

    async def aexists(self, key: str) -> bool:
        """Do as `exists`."""
        return await self._call(self.exists, key)

    async def adelete(self, key: str, *, missing_ok: bool = False) -> None:
        """Do as `delete`."""
        await self._call(self.delete, key, missing_ok=missing_ok)

    async def acopy(self, source: str, target: str, *, if_absent: bool = False) -> Stat:
        """Do as `copy`."""
        return await self._call(self.copy, source, target, if_absent=if_absent)

    async def amove(self, source: str, target: str, *, if_absent: bool = False) -> Stat:
        """Do as `move`."""
        return await self._call(self.move, source, target, if_absent=if_absent)

    async def alist(
        self, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> AsyncIterator[Stat]:
        """Do as `list`, for `async for`."""
        found = self.list(prefix, after=after, limit=limit)
        while page := await self._call(lambda: tuple(islice(found, _PAGE))):
            for stat in page:
                yield stat

    async def aurl(self, key: str, *, expires: float | timedelta = 3600) -> str:
        """Do as `url`."""
        return await self._call(self.url, key, expires=expires)

    async def aput_json(
        self,
        key: str,
        value: Any,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        metadata: Mapping[str, str] | None = None,
        ttl: float | timedelta | None = None,
        dumps: Callable[[Any], bytes | str] | None = None,
    ) -> Stat:
        """Do as `put_json`."""
        return await self._call(
            self.put_json,
            key,
            value,
            if_absent=if_absent,
            if_match=if_match,
            metadata=metadata,
            ttl=ttl,
            dumps=dumps,
        )

    @overload
    async def aget_json(self, key: str, *, loads: Callable[[bytes], Any] | None = None) -> Any: ...
    @overload
    async def aget_json(
        self, key: str, type: Callable[..., T], *, loads: Callable[[bytes], Any] | None = None
    ) -> T: ...
    async def aget_json(self, key: str, type: Any = None, *, loads: Any = None) -> Any:  # noqa: A002 - the name that callers write
        """Do as `get_json`."""
        return await self._call(self.get_json, key, type, loads=loads)

    def alock(self, key: str, *, timeout: float | timedelta | None = None) -> Lock:
        """Do as `lock`: the same lock."""
        return self.lock(key, timeout=timeout)

    def awatch(self, prefix: str = "", *, interval: float | timedelta = 1.0) -> Watch:
        """Do as `watch`, for `async for`.

        `async with` starts it: what changes after that is an event. Without it, it starts with the
        first step of `async for`.
        """
        return self._watch(prefix, interval)

    # Helpers.

    def _terms(
        self,
        if_absent: bool,
        if_match: str | None,
        metadata: Mapping[str, str] | None,
        ttl: float | timedelta | None,
    ) -> Terms:
        if not if_absent and if_match is None and metadata is None and ttl is None:
            return PLAIN
        return terms(if_absent, if_match, metadata, ttl, self._clock)

    _clock: Callable[[], float] = staticmethod(time.time)

    def _watch(self, prefix: str, interval: float | timedelta) -> Watch:
        from .watching import Watch

        check_prefix(prefix)
        return Watch(
            lambda: {stat.key: stat.etag for stat in self._list(prefix, "")},
            lambda wake: self._subscribe(prefix, wake),
            self._call,
            seconds("interval", interval, above=0, unlimited=True),
        )

    def _subscribe(self, prefix: str, wake: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002 - for stores that hear of changes
        """Call `wake` at changes, if the store hears of them; returns what ends that."""
        return lambda: None

    def close(self) -> None:
        """Let go of files and connections. It may be used again: it opens them again."""

    async def aclose(self) -> None:
        """Do as `close`."""
        await self._call(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
