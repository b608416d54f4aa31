"""The folder: files in it by way of real folders only, locks, and room for what is being written."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import weakref
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from shared.core.forks import renew

from .._base.errors import StorageError
from .._base.flock import lock, try_lock, unlock
from .._base.keys import RESERVED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType
    from typing import Self

_EXTRA = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
READ = os.O_RDONLY | _EXTRA | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _EXTRA | getattr(os, "O_NOFOLLOW", 0)
_LOCK = os.O_RDWR | os.O_CREAT | _EXTRA | getattr(os, "O_NOFOLLOW", 0)
_ENTER = os.O_RDONLY | _EXTRA | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0)
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd
_STRIPES = 64
DESCRIPTORS = "/proc/self/fd/"
HAS_DESCRIPTORS = _BY_DESCRIPTOR and sys.platform == "linux" and os.path.isdir(DESCRIPTORS)
_is_junction = getattr(os.path, "isjunction", lambda _path: False)


class Folder:
    """The root of a `FileStore`.

    Args:
        root: Its path; made with the first write.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._below = os.path.join(root, "")
        self._real = os.path.join(os.path.realpath(root), "")
        self.own = f"{self._below}{RESERVED}"
        self._stripes = [Stripe(self, number) for number in range(_STRIPES)]
        self._session: Session | None = None
        self._guard = threading.Lock()
        if os.path.isdir(f"{self.own}/writing"):
            with suppress(OSError):  # a medium that cannot be written
                self.sweep()
        renew(self)

    def renew_after_fork(self) -> None:
        """Leave the parent what it writes; the child starts its own."""
        self._guard = threading.Lock()
        if self._session is not None:
            self._session.forget()
            self._session = None

    def path(self, place: str) -> str:
        """Return the path of a place below the root."""
        return self._below + place

    def enter(self, place: str) -> tuple[str, int | None]:
        """Return the name and the folder's descriptor for the `dir_fd` of functions of `os`.

        Every folder on the way is opened without following a symbolic link, from the one before:
        whoever swaps one meanwhile leads nobody out of the root. The caller closes the descriptor.

        Raises:
            FileNotFoundError: A folder is missing.
            NotADirectoryError: One is a symbolic link, or a file.
        """
        head, slash, name = place.rpartition("/")
        if not slash:
            return self._below + name, None
        if HAS_DESCRIPTORS:
            fd = os.open(self._below + head, _ENTER)
            if os.readlink(f"{DESCRIPTORS}{fd}") == self._real + head:
                return name, fd  # where we wanted to be: no link was on the way
            os.close(fd)
        folders = head.split("/")
        if not _BY_DESCRIPTOR:
            return self._enter_by_path(folders, name)
        fd = os.open(self._below + folders[0], _ENTER)
        for folder in folders[1:]:
            try:
                inner = os.open(folder, _ENTER, dir_fd=fd)
            finally:
                os.close(fd)
            fd = inner
        return name, fd

    def _enter_by_path(self, folders: list[str], name: str) -> tuple[str, int | None]:
        path = self.root
        for folder in folders:
            path = os.path.join(path, folder)
            if os.path.islink(path) or _is_junction(path):
                raise NotADirectoryError(path)
        return os.path.join(path, name), None

    def make(self, place: str, *, sync: bool) -> None:
        """Make the folders on the way to a place."""
        path = self.root
        if not os.path.isdir(path):
            os.makedirs(path, exist_ok=True)
            if sync:
                sync_folder(os.path.dirname(os.path.abspath(path)))
        for folder in place.split("/")[:-1]:
            above, path = path, os.path.join(path, folder)
            try:
                os.mkdir(path)
            except FileExistsError:
                if os.path.islink(path) or not os.path.isdir(path):
                    raise StorageError(f"{path} is not a folder: links are not followed") from None
            else:
                if sync:
                    sync_folder(above)

    def prune(self, place: str) -> None:
        """Remove the folders on the way to a place that are empty now."""
        with suppress(OSError):  # not empty, or somebody was faster
            while (place := place.rpartition("/")[0]) and not place.startswith(RESERVED):
                os.rmdir(self.path(place))

    def stripe(self, key: str) -> Stripe:
        """Return the lock under which an object of this key changes, in all processes."""
        return self._stripes[zlib.crc32(key.encode()) % _STRIPES]

    @contextmanager
    def stripes(self, *keys: str) -> Generator[None]:
        """Hold the locks of several keys."""
        ordered = sorted({self.stripe(key) for key in keys}, key=lambda stripe: stripe.number)
        held = []
        try:
            for stripe in ordered:
                stripe.__enter__()
                held.append(stripe)
            yield
        finally:
            for stripe in reversed(held):
                stripe.__exit__(None, None, None)

    def new_file(self) -> str:
        """Return a path for a file that is being written: removed when this process is gone."""
        session = self._session
        if session is None:
            with self._guard:
                if self._session is None:
                    self.make(f"{RESERVED}/writing/x", sync=False)
                    self.make(f"{RESERVED}/locks/x", sync=False)
                    self.sweep()
                    with self.wait_for_lock("sweep"):
                        self._session = Session(f"{self.own}/writing/{os.urandom(8).hex()}")
                session = self._session
        return session.new_file()

    def try_lock(self, name: str) -> KeyLock | None:
        """Return a lock by name, held; None if somebody else holds it.

        Its file goes with it, so that locks of a million keys leave nothing.
        """
        return self._lock(name, try_lock)

    def wait_for_lock(self, name: str) -> KeyLock:
        """Return a lock by name, held."""
        while (held := self._lock(name, lock)) is None:
            pass
        return held

    def _lock(self, name: str, take: Callable[[int], bool]) -> KeyLock | None:
        path = f"{self.own}/locks/k-{name}"
        while True:
            try:
                fd = os.open(path, _LOCK, 0o666)
            except FileNotFoundError:
                self.make(f"{RESERVED}/locks/x", sync=False)
                continue
            try:
                if not take(fd):
                    os.close(fd)
                    return None
                if _is_same(fd, path):
                    return KeyLock(path, fd)
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)  # its last holder has removed it meanwhile

    def sweep(self) -> int:
        """Remove what dead processes have left; return how many files."""
        count = 0
        with self.wait_for_lock("sweep"):
            with os.scandir(f"{self.own}/writing") as sessions:
                for session in list(sessions):
                    if _is_dead(f"{session.path}/lock"):
                        count += len(os.listdir(session.path))
                        _remove(session.path)
            with os.scandir(f"{self.own}/locks") as locks:
                for entry in list(locks):
                    if entry.name.startswith("k-") and entry.name != "k-sweep":
                        left = self.try_lock(entry.name[2:])
                        if left is not None:
                            left.release()
        return count

    def close(self) -> None:
        """Close all that is open."""
        with self._guard:
            if self._session is not None:
                self._session.close()
                self._session = None
        for stripe in self._stripes:
            stripe.close()


class Stripe:
    """One of the locks that keys share: among threads, then among processes."""

    def __init__(self, folder: Folder, number: int) -> None:
        self.number = number
        self._own = weakref.ref(folder)
        self._thread = threading.Lock()
        self._fd: int | None = None
        renew(self)

    def renew_after_fork(self) -> None:
        """Start free in a child; the descriptor shares its lock with the parent's."""
        self._thread = threading.Lock()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        self._thread.acquire()
        try:
            if self._fd is None:
                folder = self._own()
                assert folder is not None
                path = f"{folder.own}/locks/{self.number}"
                try:
                    self._fd = os.open(path, _LOCK, 0o666)
                except FileNotFoundError:
                    folder.make(f"{RESERVED}/locks/x", sync=False)
                    self._fd = os.open(path, _LOCK, 0o666)
            lock(self._fd)
        except BaseException:
            self._thread.release()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._fd is not None
        unlock(self._fd)
        self._thread.release()

    def close(self) -> None:
        """Close its file."""
        with self._thread:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def __del__(self) -> None:
        if self._fd is not None:
            os.close(self._fd)


class KeyLock:
    """A lock that is held, with its file."""

    def __init__(self, path: str, fd: int) -> None:
        self._path = path
        self._fd = fd
        self._pid = os.getpid()
        renew(self)

    def renew_after_fork(self) -> None:
        """Let go in a child: the lock is the parent's."""
        os.close(self._fd)
        self._pid = -1

    def release(self) -> None:
        """Remove the file and unlock it."""
        if self._pid == os.getpid():
            self._pid = -1
            with suppress(OSError):  # Windows removes no open file
                os.unlink(self._path)
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


class Session:
    """The folder of what one store in one process is writing; the lock in it ends with the process."""

    def __init__(self, path: str) -> None:
        os.mkdir(path)
        self._path = path
        self._fd = os.open(f"{path}/lock", _LOCK, 0o666)
        lock(self._fd)
        self._numbers = itertools.count()
        self._finish = weakref.finalize(self, _end, self._fd, path, os.getpid())

    def new_file(self) -> str:
        """Return a path that is used once."""
        return f"{self._path}/{next(self._numbers)}"

    def close(self) -> None:
        """Remove the folder."""
        self._finish()

    def forget(self) -> None:
        """Let go in a child, without touching what is the parent's."""
        self._finish.detach()
        os.close(self._fd)


def _end(fd: int, path: str, pid: int) -> None:
    if pid == os.getpid():
        os.close(fd)
        _remove(path)


def _remove(path: str) -> None:
    """Remove the folder of a session; an import of `shutil` here can hang in a forked child."""
    with suppress(OSError):  # Windows removes no open file
        for name in os.listdir(path):
            os.unlink(f"{path}/{name}")
        os.rmdir(path)


def _is_dead(path: str) -> bool:
    """Whether nobody holds the lock of a session."""
    try:
        fd = os.open(path, _LOCK & ~os.O_CREAT)
    except FileNotFoundError:
        return True
    try:
        return try_lock(fd)
    finally:
        os.close(fd)


def _is_same(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def sync_folder(path: str | int) -> None:
    """Make what was renamed in a folder survive a power cut; Windows has no such call."""
    if os.name == "nt":
        return
    fd = os.open(path, os.O_RDONLY) if isinstance(path, str) else path
    try:
        os.fsync(fd)
    finally:
        if isinstance(path, str):
            os.close(fd)
