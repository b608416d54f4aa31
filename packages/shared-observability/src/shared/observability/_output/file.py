"""A log file, optionally with rotation that several processes may share.

With rotation every line is written under an exclusive `flock` on the log file itself. The process
that gets the lock checks that the path still names the file it holds (another process may have
rotated it meanwhile), rotates if it is time, and writes. The lock belongs to an open file
description, which a forked child would share with its parent, so the child opens its own.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import Any, Final

from shared.core import checks

from .sink import Sink, open_sink, write_all

fcntl: Any = None
with suppress(ImportError):  # Windows: one process only
    import fcntl

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
_SIZE: Final = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_PERIOD: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_UNITS: Final = ", ".join(["B", "KB", "MB", "GB", "KiB", "MiB", "GiB", *_PERIOD])
_ALLOWED: Final = f"a size or a period (a number and one of {_UNITS})"
_ROTATE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


def parse_rotate(rotate: object) -> tuple[int | None, int | None]:
    """Return (bytes, None) for "100 MB" and (None, seconds) for "1 day".

    Raises:
        ValueError: It is neither a size nor a period.
        TypeError: It is not a string.

    Example:
        >>> parse_rotate("100 MB"), parse_rotate("1 day")
        ((100000000, None), (None, 86400))
    """
    if not isinstance(rotate, str):
        raise checks.refuse("rotate", _ALLOWED, rotate, TypeError)
    match = _ROTATE.fullmatch(rotate.strip())
    if match and float(match[1]) > 0:
        amount, unit = float(match[1]), match[2].lower()
        if unit in _SIZE:
            return max(1, int(amount * _SIZE[unit])), None
        if (period := unit.removesuffix("s")) in _PERIOD:
            return None, max(1, int(amount * _PERIOD[period]))
    raise checks.refuse("rotate", _ALLOWED, rotate)


def open_file(path: str, rotate: str | None, keep: int) -> Sink:
    """Open a log file for appending; its folder is created if needed."""
    path = os.path.abspath(path)  # noqa: PTH100 - a later chdir must not move the log
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - paths are text here
    if rotate is None:
        return open_sink(os.open(path, _FLAGS, 0o644), owned=True)
    size, period = parse_rotate(rotate)
    return RotatingSink(path, size, period, checks.whole("keep", keep))


class RotatingSink(Sink):
    """A file that becomes `path.1` when it is full or its period is over, and so on to `keep`.

    Args:
        path: The absolute path.
        size: Rotate before a line that would make the file larger than `size` bytes.
        period: Rotate if a period of `period` seconds (counted from 1970, UTC) has started since
            the last line.
        keep: How many old files stay.
    """

    def __init__(self, path: str, size: int | None, period: int | None, keep: int) -> None:
        super().__init__()
        self._path, self._size, self._period, self._keep = path, size, period, keep
        self._descriptor = os.open(path, _FLAGS, 0o644)
        self._owner = os.getpid()

    def _put(self, data: bytes) -> None:
        if self.closed:
            raise ValueError("the sink is closed")
        if self._owner != os.getpid():
            self._reopen()
            self._owner = os.getpid()
        self._lock_current()
        try:
            while self._due(len(data)):  # another process may fill the new file meanwhile
                self._rotate()
            write_all(self._descriptor, data)
        finally:
            _unlock(self._descriptor)

    def _lock_current(self) -> None:
        """Lock the file that the path names now."""
        while True:
            _lock(self._descriptor)
            held = os.fstat(self._descriptor)
            try:
                named = os.stat(self._path)  # noqa: PTH116 - for every line
            except FileNotFoundError:
                named = None
            if named and (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino):
                return
            self._reopen()

    def _reopen(self) -> None:
        opened = os.open(self._path, _FLAGS, 0o644)
        os.close(self._descriptor)
        self._descriptor = opened

    def _due(self, more: int) -> bool:
        status = os.fstat(self._descriptor)
        if status.st_size == 0:
            return False
        if self._size is not None:
            return status.st_size + more > self._size
        assert self._period is not None
        return int(status.st_mtime) // self._period != int(time.time()) // self._period

    def _rotate(self) -> None:
        # The live file moves last: until then no other process can get past its lock.
        for number in range(self._keep, 0, -1):
            source = self._path if number == 1 else f"{self._path}.{number - 1}"
            with suppress(FileNotFoundError):
                os.replace(source, f"{self._path}.{number}")  # noqa: PTH105 - paths are text here
        self._reopen()
        self._lock_current()

    def close(self) -> None:
        with self._lock:
            if not self.closed:
                os.close(self._descriptor)
            self.closed = True


def _lock(descriptor: int) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _unlock(descriptor: int) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
