"""An object's file, open: its content alone, checked when it was read to the end."""

from __future__ import annotations

import io
import os
import zlib
from typing import TYPE_CHECKING

from .._base.errors import ChecksumMismatch
from . import tail as tails

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from .tail import Tail

SMALL = 1 << 14


def read_whole(fd: int, key: str) -> tuple[Tail, bytes]:
    """Return the tail and the content of an open file.

    Raises:
        ChecksumMismatch: It is not what was written.
    """
    raw = os.read(fd, SMALL)
    length = len(raw)
    if length == SMALL:
        return _read_large(fd, key)
    found = tails.parse(raw, length, key)
    if zlib.crc32(raw) != tails.RESIDUE:
        raise ChecksumMismatch(key)
    return found, raw[: found.size]


def _read_large(fd: int, key: str) -> tuple[Tail, bytes]:
    """Read into one piece of memory of the right length."""
    length = os.fstat(fd).st_size
    found = tails.parse(read_at(fd, tails.SIZE, max(0, length - tails.SIZE)), length, key)
    content = read_at(fd, found.size, 0)
    rest = read_at(fd, length - found.size, found.size)
    if zlib.crc32(rest, zlib.crc32(content)) != tails.RESIDUE:
        raise ChecksumMismatch(key)
    return found, content


def read_tail(fd: int, key: str) -> tuple[Tail, bytes]:
    """Return the tail and the metadata of an open file."""
    length = os.fstat(fd).st_size
    end = read_at(fd, 512, max(0, length - 512))
    found = tails.parse(end, length, key)
    if found.extra + tails.SIZE > len(end):
        end = read_at(fd, found.extra + tails.SIZE, found.size)
    return found, end[len(end) - tails.SIZE - found.extra : len(end) - tails.SIZE]


def read_at(fd: int, size: int, offset: int) -> bytes:
    """Read exactly, unless the file ends."""
    os.lseek(fd, offset, os.SEEK_SET)
    parts = []
    while size and (part := os.read(fd, size)):  # all at once, as a rule
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Content(io.RawIOBase):
    """The content of an open file, as a file.

    Args:
        fd: The open file; closed with this.
        found: Its tail.
        key: For errors.
    """

    def __init__(self, fd: int, found: Tail, key: str) -> None:
        self._fd = fd
        self._tail = found
        self._key = key
        self._place = 0
        self._summed = 0  # up to here the checksum is known
        self._crc = 0
        os.lseek(fd, 0, os.SEEK_SET)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._tail.size}[whence]
        if start + offset < 0:
            raise ValueError(f"a negative place in {self._key!r}: {start + offset}")
        self._place = os.lseek(self._fd, start + offset, os.SEEK_SET)
        return self._place

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._tail.size - self._place))
        data = os.read(self._fd, wanted) if wanted else b""
        if wanted and not data:
            raise ChecksumMismatch(self._key, "is cut short")
        view[: len(data)] = data
        if self._place == self._summed:
            self._crc = zlib.crc32(data, self._crc)
            self._summed += len(data)
        self._place += len(data)
        if self._summed == self._tail.size:
            self._check()
        return len(data)

    def _check(self) -> None:
        rest = read_at(self._fd, self._tail.extra + tails.SIZE, self._tail.size)
        os.lseek(self._fd, self._place, os.SEEK_SET)
        self._summed = -1  # once
        if zlib.crc32(rest, self._crc) != tails.RESIDUE:
            raise ChecksumMismatch(self._key)

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()
