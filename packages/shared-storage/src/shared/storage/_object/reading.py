"""An open object of an object store."""

from __future__ import annotations

import io
import os
import zlib
from typing import TYPE_CHECKING, Any

from .._base.errors import ChecksumMismatch, StoreUnavailable
from .errors import library, ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

_PIECE = 1 << 20


class Content(io.RawIOBase):
    """The content of an object, as a file.

    It streams one answer. After a seek or a broken connection it asks again, for the same version:
    parts of two versions are never mixed.

    Args:
        store: obstore's store.
        key: The key.
        answer: What obstore's `get` returned.
        checksum: The CRC-32 that was stored, in hexadecimal; None if there is none.
    """

    def __init__(self, store: Any, key: str, answer: Any, checksum: str | None) -> None:
        self._store = store
        self._key = key
        self._size: int = answer.meta["size"]
        self._etag: str | None = answer.meta["e_tag"]
        self._checksum = checksum
        self._stream: Iterator[bytes] | None = iter(answer.stream(min_chunk_size=_PIECE))
        self._piece = memoryview(b"")
        self._place = 0
        self._summed = 0
        self._crc = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"a negative place in {self._key!r}: {start + offset}")
        if start + offset != self._place:
            self._place = start + offset
            self._stream, self._piece = None, memoryview(b"")
        return self._place

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        if self._place >= self._size or not len(view):
            return 0
        if not len(self._piece):
            with ours(self._key):
                self._piece = memoryview(self._next())
        data = self._piece[: len(view)]
        self._piece = self._piece[len(data) :]
        view[: len(data)] = data
        if self._place == self._summed:
            self._crc = zlib.crc32(data, self._crc)
            self._summed += len(data)
        self._place += len(data)
        if self._summed == self._size and self._checksum is not None:
            self._summed = -1
            if f"{self._crc:08x}" != self._checksum:
                raise ChecksumMismatch(self._key)
        return len(data)

    def _next(self) -> bytes:
        if self._stream is not None:
            try:
                piece = next(self._stream, b"")
            except Exception:  # noqa: BLE001 - whatever broke, asking again decides
                piece = b""
            if piece:
                return piece
        options: dict[str, Any] = {"range": {"offset": self._place}}
        if self._etag is not None:
            options["if_match"] = self._etag
        answer = library().get(self._store, self._key, options=options)
        self._stream = iter(answer.stream(min_chunk_size=_PIECE))
        piece = next(self._stream, b"")
        if not piece:
            raise StoreUnavailable(f"the answer for {self._key!r} ended early")
        return piece

    def close(self) -> None:
        self._stream, self._piece = None, memoryview(b"")  # or the connection would stay open
        super().close()
