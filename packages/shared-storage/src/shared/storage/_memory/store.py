"""The store in memory."""

from __future__ import annotations

import heapq
import io
import itertools
import threading
import time
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar

from shared.core.checks import function
from shared.core.forks import renew

from .._base.errors import KeyNotFound
from .._base.keys import check_key
from .._base.records import Stat, Terms, moment
from .._face.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

T = TypeVar("T")


class _Entry(NamedTuple):
    data: bytes
    etag: str
    modified: datetime
    metadata: Mapping[str, str]
    expires: float

    def stat(self, key: str) -> Stat:
        expires = moment(self.expires) if self.expires else None
        return Stat(self.etag, len(self.data), self.modified, key, dict(self.metadata), expires)


class MemoryStore(Store):
    """Objects in memory: for tests, and for what may be lost with the process.

    Threads and tasks may share it. A forked child has its own copy.

    Args:
        clock: Returns the seconds since the epoch, for `ttl` and `modified`.

    Example:
        >>> store = MemoryStore()
        >>> _ = store.put("a", b"content", ttl=60)
        >>> store.get("a")
        b'content'
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = function("clock", clock)
        self._entries: dict[str, _Entry] = {}
        self._ending: list[tuple[float, str]] = []  # a heap; may name what is gone
        self._versions = itertools.count(1)
        self._guard = threading.RLock()
        self._locked: set[str] = set()
        self._wakes: dict[object, tuple[str, Callable[[], None]]] = {}
        renew(self)

    def renew_after_fork(self) -> None:
        """Start with free locks in a forked child."""
        self._guard = threading.RLock()
        self._locked = set()
        self._wakes = {}

    def get(self, key: str) -> bytes:
        try:
            entry = self._entries[key]
        except (KeyError, TypeError):
            raise KeyNotFound(check_key(key)) from None
        if entry.expires and entry.expires <= self._clock():
            raise KeyNotFound(key)
        return entry.data

    def _entry(self, key: str) -> _Entry:
        entry = self._entries.get(check_key(key))
        if entry is None or (entry.expires and entry.expires <= self._clock()):
            raise KeyNotFound(key)
        return entry

    def stat(self, key: str) -> Stat:
        return self._entry(key).stat(key)

    def open(self, key: str) -> IO[bytes]:
        return io.BytesIO(self._entry(key).data)

    def _range(self, key: str, start: int, end: int | None) -> bytes:
        return self._entry(key).data[start:end]

    def _put(self, key: str, data: bytes | memoryview, terms: Terms) -> Stat:
        content = bytes(data)
        with self._guard:
            now = self._clock()
            self._sweep(now)
            if terms.if_absent or terms.if_match is not None:
                old = self._entries.get(key)
                terms.check(key, old and old.etag)
            entry = _Entry(
                content, f"{next(self._versions):x}", moment(now), terms.metadata, terms.expires
            )
            self._entries[key] = entry
            if terms.expires:
                heapq.heappush(self._ending, (terms.expires, key))
                if len(self._ending) > 2 * len(self._entries) + 64:  # mostly what is gone
                    self._ending = [(e.expires, k) for k, e in self._entries.items() if e.expires]
                    heapq.heapify(self._ending)
        self._changed(key)
        return entry.stat(key)

    def _put_stream(self, key: str, parts: Iterator[bytes | memoryview], terms: Terms) -> Stat:
        return self._put(key, b"".join(parts), terms)

    def delete(self, key: str, *, missing_ok: bool = False) -> None:
        with self._guard:
            try:
                self._entry(key)
            except KeyNotFound:
                if not missing_ok:
                    raise
                return
            del self._entries[key]
        self._changed(key)

    def _copy(self, source: str, target: str, terms: Terms, *, move: bool) -> Stat:
        with self._guard:
            entry = self._entry(source)
            if source == target:
                return entry.stat(source)
            stat = self._put(
                target,
                entry.data,
                terms._replace(metadata=entry.metadata, expires=entry.expires),
            )
            if move:
                del self._entries[source]
        if move:
            self._changed(source)
        return stat

    def _list(self, prefix: str, after: str) -> Iterator[Stat]:
        with self._guard:
            keys = [key for key in self._entries if key > after and key.startswith(prefix)]
        keys.sort()
        now = self._clock()
        for key in keys:
            entry = self._entries.get(key)
            if entry is not None and not (entry.expires and entry.expires <= now):
                yield entry.stat(key)

    def _sweep(self, now: float) -> None:
        while self._ending and self._ending[0][0] <= now:
            _, key = heapq.heappop(self._ending)
            entry = self._entries.get(key)
            if entry is not None and entry.expires and entry.expires <= now:
                del self._entries[key]

    def _try_lock(self, key: str) -> _Held | None:
        with self._guard:
            if key in self._locked:
                return None
            self._locked.add(key)
        return _Held(self._locked, key)

    async def _call(self, fn: Callable[..., T], *args: Any, **keywords: Any) -> T:
        return fn(*args, **keywords)  # nothing to wait for

    def _subscribe(self, prefix: str, wake: Callable[[], None]) -> Callable[[], None]:
        token = object()
        self._wakes[token] = prefix, wake

        def end() -> None:
            self._wakes.pop(token, None)

        return end

    def _changed(self, key: str) -> None:
        if self._wakes:
            for prefix, wake in list(self._wakes.values()):
                if key.startswith(prefix):
                    wake()


class _Held(NamedTuple):
    locked: set[str]
    key: str

    def release(self) -> None:
        self.locked.discard(self.key)
