"""Files that are replaced as a whole."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Literal, overload

from shared.core.checks import choice, refuse

from .._base.flock import try_lock

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


@overload
def atomic_write(
    path: str | os.PathLike[str], mode: Literal["wb", "xb"] = "wb", *, fsync: bool = True
) -> AbstractContextManager[IO[bytes]]: ...
@overload
def atomic_write(
    path: str | os.PathLike[str],
    mode: Literal["w", "x"],
    *,
    encoding: str = "utf-8",
    newline: str | None = None,
    fsync: bool = True,
) -> AbstractContextManager[IO[str]]: ...
def atomic_write(
    path: Any,
    mode: str = "wb",
    *,
    encoding: str = "utf-8",
    newline: str | None = None,
    fsync: bool = True,
) -> AbstractContextManager[IO[Any]]:
    """Write a file that has the new content, whole, when the block ends; else the old one.

    A symbolic link stays, and what it leads to is replaced. The mode and, if allowed, the owner
    stay; a new file obeys the umask. What a killed process was writing is removed by the next
    write of the same path.

    Args:
        path: The file; its folder exists.
        mode: "wb" and "w" replace it; "xb" and "x" raise FileExistsError if it exists.
        encoding: Of text.
        newline: Of text, as of `open`.
        fsync: Whether the end of the block waits until the file would survive a power cut.

    Returns:
        A context manager: the open file.

    Raises:
        OSError: The folder is missing, the disk is full, or the path is no regular file.

    Example:
        >>> from shared.storage import temporary_directory
        >>> with temporary_directory() as folder:
        ...     with atomic_write(folder / "limits.txt", "w") as file:
        ...         _ = file.write("rate: 5")
        ...     (folder / "limits.txt").read_text()
        'rate: 5'
    """
    choice("mode", mode, ("wb", "w", "xb", "x"))
    if not isinstance(path, (str, os.PathLike)):
        raise refuse("path", "a path", path, TypeError)
    text: dict[str, Any] = {} if "b" in mode else {"encoding": encoding, "newline": newline}
    return _write(os.fspath(path), mode, text, fsync)


@contextmanager
def _write(path: str, mode: str, text: dict[str, Any], fsync: bool) -> Generator[IO[Any]]:
    target = os.path.realpath(path)
    old = _regular(target, path)
    if old is not None and "x" in mode:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    fd, written, number = _claim(target)
    done = False
    try:
        file = open(os.dup(fd), mode.replace("x", "w"), **text)  # noqa: SIM115 - its close may fail, twice over
        try:
            yield file
        except BaseException:
            with suppress(OSError):  # the disk is full: the first error counts
                file.close()
            raise
        file.close()
        if old is not None:
            _dress(fd, written, old)
        if fsync:
            os.fsync(fd)
        if os.name == "nt":  # renames no open file
            os.close(fd)
            fd = -1
        if "x" in mode:
            _link(written, target)
        else:
            os.replace(written, target)
        done = True
        if fsync:
            _sync_folder(os.path.dirname(target))
    finally:
        if not done:
            with suppress(OSError):
                os.unlink(written)
        if fd >= 0:
            os.close(fd)
        _sweep(target, number + 1)


def _regular(target: str, path: str) -> os.stat_result | None:
    """Return what is known of the old file; None if there is none."""
    try:
        old = os.stat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "not a regular file: it cannot be replaced", path)
    return old


def _name(target: str, number: int) -> str:
    folder, name = os.path.split(target)
    if len(os.fsencode(name)) > 200:  # a file's name has 255 bytes
        import zlib

        name = f"{zlib.crc32(os.fsencode(name)):08x}"
    return os.path.join(folder, f".{name}.{number}.tmp")


def _claim(target: str) -> tuple[int, str, int]:
    """Make the file to write to, locked: its name is free, or a dead process had it."""
    number = 0
    while True:
        path = _name(target, number)
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666)
        except FileExistsError:
            if not _clear(path):
                number += 1
            continue
        if try_lock(fd) and _is_same(fd, path):
            return fd, path, number
        os.close(fd)  # somebody took it for a dead one's


def _clear(path: str) -> bool:
    """Remove what a dead process was writing; False if its writer lives, or it is not ours."""
    try:
        fd = os.open(path, os.O_RDONLY | _FLAGS | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        if not try_lock(fd):
            return False
        if _is_same(fd, path):
            os.unlink(path)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def _sweep(target: str, number: int) -> None:
    while os.path.lexists(path := _name(target, number)) and _clear(path):
        number += 1


def _is_same(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _dress(fd: int, path: str, old: os.stat_result) -> None:
    """Make the new file look like the old one."""
    if hasattr(os, "fchown"):
        now = os.fstat(fd)
        if (now.st_uid, now.st_gid) != (old.st_uid, old.st_gid):
            with suppress(OSError):  # allowed to root alone
                os.fchown(fd, old.st_uid, old.st_gid)
    os.chmod(fd if os.chmod in os.supports_fd else path, stat.S_IMODE(old.st_mode))


def _link(written: str, target: str) -> None:
    """Rename, but never onto a file that somebody else has made meanwhile."""
    if os.name == "nt":
        os.rename(written, target)
    else:
        os.link(written, target)
        os.unlink(written)


def _sync_folder(path: str) -> None:
    if os.name != "nt":
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
