"""The store in files."""

from __future__ import annotations

import errno
import io
import os
import threading
import time
import zlib
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from shared.core.checks import function, refuse

from .._base.errors import ChecksumMismatch, KeyNotFound, StorageError
from .._base.records import Stat, moment
from .._face.store import Store
from . import tail as tails
from .folder import READ, WRITE, Folder, KeyLock, sync_folder
from .names import is_long, locate
from .quick import quick_reader
from .reading import Content, read_at, read_tail, read_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .._base.records import Terms
    from .tail import Tail

_NO_WAY = (FileNotFoundError, NotADirectoryError)
_BUFFER = 1 << 18
_WRITEV = hasattr(os, "writev")


class FileStore(Store):
    """Objects as files below one folder, for any number of threads, tasks and processes.

    A write replaces the whole object by a rename: killed in the middle, or on a full disk, it
    leaves the old one. What a killed process was writing is removed when a store is next opened.
    Each file carries a checksum, which every read verifies.

    The folder belongs to the store. File systems must have `flock` and atomic renames: local ones
    have; NFS since version 4.

    Args:
        path: The folder; made with the first write.
        fsync: Whether a write waits until it would survive a power cut. Without it, it still
            survives the end of the process.
        clock: Returns the seconds since the epoch, for `ttl` and `modified`.

    Raises:
        TypeError: The path is not one.
        NotADirectoryError: The path is a file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, FileStore(folder) as store:
        ...     _ = store.put("reports/2026.csv", b"a,b")
        ...     store.get("reports/2026.csv")
        b'a,b'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        fsync: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            root = os.path.abspath(os.fspath(path))
        except TypeError:
            raise refuse("path", "a path", path, TypeError) from None
        if os.path.exists(root) and not os.path.isdir(root):
            raise NotADirectoryError(errno.ENOTDIR, "the path of a FileStore is a file", root)
        self._fsync = bool(fsync)
        self._clock = function("clock", clock)
        self._folder = Folder(root)
        self._quick_read = quick_reader(root)

    def get(self, key: str) -> bytes:
        content = self._quick_read(key)
        if content is not None:
            return content
        fd = self._open(key)
        try:
            found, content = read_whole(fd, key)
        finally:
            os.close(fd)
        if found.expires:
            self._refuse_ended(key, found)
        return content

    def _open(self, key: str) -> int:
        """Open the file of a key; a KeyNotFound if there is none."""
        try:
            name, above = self._folder.enter(locate(key))
            if above is None:
                return os.open(name, READ)
            try:
                return os.open(name, READ, dir_fd=above)
            finally:
                os.close(above)
        except _NO_WAY:
            raise KeyNotFound(key) from None
        except OSError as error:
            if error.errno == errno.ELOOP:  # a symbolic link
                raise KeyNotFound(key) from None
            raise

    def _refuse_ended(self, key: str, found: Tail) -> None:
        if found.is_over(self._clock()):
            with suppress(OSError):  # a medium that cannot be written
                self._remove(key, ended=True)
            raise KeyNotFound(key)

    def _open_tail(self, key: str) -> tuple[int, Tail, bytes]:
        fd = self._open(key)
        try:
            found, extra = read_tail(fd, key)
            self._refuse_ended(key, found)
        except BaseException:
            os.close(fd)
            raise
        return fd, found, extra

    def stat(self, key: str) -> Stat:
        fd, found, extra = self._open_tail(key)
        os.close(fd)
        return tails.stat(found, key, extra)

    def open(self, key: str) -> IO[bytes]:
        fd, found, _ = self._open_tail(key)
        return io.BufferedReader(Content(fd, found, key), _BUFFER)

    def _range(self, key: str, start: int, end: int | None) -> bytes:
        fd, found, _ = self._open_tail(key)
        try:
            end = found.size if end is None else min(end, found.size)
            return read_at(fd, end - start, start) if start < end else b""
        finally:
            os.close(fd)

    def _put(self, key: str, data: bytes | memoryview, terms: Terms) -> Stat:
        place = locate(key)
        size, now = len(data), self._clock()
        end = tails.build(terms, size, zlib.crc32(data), now, key if is_long(place) else "")
        path = self._folder.new_file()
        try:
            fd = os.open(path, WRITE, 0o666)
            try:
                _write(fd, data, end)
                if self._fsync:
                    os.fsync(fd)
            finally:
                os.close(fd)
            self._commit(path, key, place, terms)
        except BaseException:
            _unlink(path)
            raise
        return _written(key, size, terms, end, now)

    def _put_stream(self, key: str, parts: Iterator[bytes | memoryview], terms: Terms) -> Stat:
        place = locate(key)
        size = crc = 0
        path = self._folder.new_file()
        try:
            fd = os.open(path, WRITE, 0o666)
            try:
                for part in parts:
                    crc = zlib.crc32(part, crc)
                    size += len(part)
                    _write(fd, part)
                now = self._clock()
                end = tails.build(terms, size, crc, now, key if is_long(place) else "")
                _write(fd, end)
                if self._fsync:
                    os.fsync(fd)
            finally:
                os.close(fd)
            self._commit(path, key, place, terms)
        except BaseException:
            _unlink(path)
            raise
        return _written(key, size, terms, end, now)

    def _commit(self, path: str, key: str, place: str, terms: Terms) -> None:
        """Put a written file in its place, if that is as the caller asked for."""
        with self._folder.stripe(key):
            if terms.if_absent or terms.if_match is not None:
                terms.check(key, self._etag(key))
            self._rename(path, place)

    def _etag(self, key: str) -> str | None:
        """Return the etag of what counts as there."""
        try:
            fd = self._open(key)
        except KeyNotFound:
            return None
        try:
            found, _ = read_tail(fd, key)
        except ChecksumMismatch:
            return "damaged"
        finally:
            os.close(fd)
        return None if found.is_over(self._clock()) else found.etag

    def _rename(self, path: str, place: str) -> None:
        for _ in range(1000):
            try:
                name, above = self._folder.enter(place)
            except FileNotFoundError:
                self._folder.make(place, sync=self._fsync)
                continue
            except NotADirectoryError:
                self._folder.make(place, sync=False)  # says what is wrong
                raise
            try:
                os.replace(path, name, dst_dir_fd=above)
                if self._fsync:
                    sync_folder(self._folder.root if above is None else above)
            except FileNotFoundError:
                if not os.path.exists(path):
                    raise
                continue  # the folder was empty, and removed meanwhile
            finally:
                if above is not None:
                    os.close(above)
            return
        raise StorageError(f"{self._folder.path(place)} vanishes as often as it is made")

    def delete(self, key: str, *, missing_ok: bool = False) -> None:
        if not self._remove(key) and not missing_ok:
            raise KeyNotFound(key)

    def _remove(self, key: str, *, ended: bool = False, etag: str | None = None) -> bool:
        """Remove an object; only one that has ended, or of this etag. Whether there was one."""
        place = locate(key)
        if not os.path.isdir(self._folder.root):
            return False
        with self._folder.stripe(key):
            current = self._etag(key)
            if etag is not None and current != etag:
                return False
            if ended and current is not None:
                return False
            try:
                name, above = self._folder.enter(place)
            except _NO_WAY:
                return False
            try:
                os.unlink(name, dir_fd=above)
                if self._fsync:
                    sync_folder(self._folder.root if above is None else above)
            except FileNotFoundError:
                return False
            finally:
                if above is not None:
                    os.close(above)
        self._folder.prune(place)
        return current is not None

    def _copy(self, source: str, target: str, terms: Terms, *, move: bool) -> Stat:
        if source == target:
            return self.stat(source)
        if move and not is_long(locate(source)) and not is_long(locate(target)):
            return self._move(source, target, terms)
        fd, found, extra = self._open_tail(source)
        known = tails.stat(found, source, extra)
        terms = terms._replace(metadata=known.metadata, expires=found.expires)
        with io.BufferedReader(Content(fd, found, source), _BUFFER) as stream:
            stat = self._put_stream(target, iter(lambda: stream.read(1 << 20), b""), terms)
        if move:
            self._remove(source, etag=known.etag)
        return stat

    def _move(self, source: str, target: str, terms: Terms) -> Stat:
        place = locate(source)
        with self._folder.stripes(source, target):
            stat = self.stat(source)
            terms.check(target, self._etag(target))
            _, above = self._folder.enter(place)
            try:
                self._rename(self._folder.path(place), locate(target))
                if self._fsync:
                    sync_folder(self._folder.root if above is None else above)
            finally:
                if above is not None:
                    os.close(above)
        self._folder.prune(place)
        return stat._replace(key=target)

    def _list(self, prefix: str, after: str) -> Iterator[Stat]:
        from .listing import places

        for key, _ in places(self._folder, prefix, after, self._long_key):
            with suppress(KeyNotFound):  # removed meanwhile
                yield self.stat(key)

    def _long_key(self, place: str) -> str | None:
        try:
            fd = os.open(self._folder.path(place), READ)
        except FileNotFoundError:
            return None
        try:
            _, extra = read_tail(fd, place)
        finally:
            os.close(fd)
        return tails.long_key(extra)

    def sweep(self) -> int:
        """Remove what dead processes were writing, and objects whose time is over.

        Opening a store does the first, reading an object or listing it the second.

        Returns:
            How many files of dead processes there were.
        """
        count = self._folder.sweep() if os.path.isdir(f"{self._folder.own}/writing") else 0
        for _ in self._list("", ""):
            pass
        return count

    def _try_lock(self, key: str) -> KeyLock | None:
        from hashlib import sha256

        return self._folder.try_lock(sha256(key.encode()).hexdigest())

    def _subscribe(self, prefix: str, wake: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002 - one watcher for all
        try:
            import watchfiles
        except ImportError:
            return lambda: None  # the interval does it
        stop = threading.Event()
        self._folder.make("x", sync=False)
        arguments: dict[str, Any] = {"stop_event": stop, "rust_timeout": 500, "debounce": 50}

        def run() -> None:
            for _ in watchfiles.watch(self._folder.root, watch_filter=_is_object, **arguments):
                wake()

        threading.Thread(target=run, name="shared.storage watch", daemon=True).start()
        return stop.set

    def close(self) -> None:
        """Close what is open; it may be used again."""
        self._folder.close()


def _written(key: str, size: int, terms: Terms, end: bytes, now: float) -> Stat:
    version = end[-tails.SIZE : 8 - tails.SIZE].hex()
    expires = moment(terms.expires) if terms.expires else None
    return Stat(version, size, moment(now), key, dict(terms.metadata), expires)


def _is_object(_change: object, path: str) -> bool:
    return os.path.basename(path).startswith("=") or f"{os.sep}long{os.sep}" in path


def _write(fd: int, *parts: bytes | memoryview) -> None:
    """Write everything: a system call may take less."""
    left = [memoryview(part) for part in parts if len(part)]
    while left:
        done = os.writev(fd, left) if _WRITEV else os.write(fd, left[0])
        while left and done >= len(left[0]):
            done -= len(left.pop(0))
        if left and done:
            left[0] = left[0][done:]


def _unlink(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
