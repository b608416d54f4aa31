"""The tail of an object's file: its version, times, lengths, and the checksum of all before it."""

from __future__ import annotations

import json
import os
import zlib
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from .._base.errors import ChecksumMismatch
from .._base.records import Stat, Terms, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

MAGIC = b"SHS1"
# version, length of the content, modified, expires, length of metadata, mark, CRC-32 of all before
FIELDS = Struct("<8sQddI4sI")
SIZE = FIELDS.size
# The CRC-32 of anything with its own CRC-32 after it, in little endian: the residue of the
# polynomial, https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc
RESIDUE = 0x2144DF1C


class Tail(NamedTuple):
    """A tail, read and checked against the length of its file."""

    version: bytes
    size: int
    modified: float
    expires: float
    extra: int
    magic: bytes
    crc: int

    @property
    def etag(self) -> str:
        return self.version.hex()

    def is_over(self, now: float) -> bool:
        """Whether the object's time is over."""
        return bool(self.expires) and self.expires <= now


def build(terms: Terms, size: int, crc: int, now: float, long_key: str = "") -> bytes:
    """Return what follows a content: metadata and tail.

    Args:
        terms: What the caller asked for.
        size: The length of the content.
        crc: The CRC-32 of the content.
        now: The time, in seconds since the epoch.
        long_key: The key, if the name of the file does not show it.
    """
    extra = b""
    if terms.metadata or long_key:
        extra = json.dumps([terms.metadata, long_key], ensure_ascii=False).encode()
    fields = FIELDS.pack(os.urandom(8), size, now, terms.expires, len(extra), MAGIC, 0)
    body = extra + fields[:-4]
    return body + zlib.crc32(body, crc).to_bytes(4, "little")


def parse(end: bytes, length: int, key: str) -> Tail:
    """Read the tail at the end of some bytes.

    Args:
        end: The last bytes of the file.
        length: The length of the file.
        key: For the error.

    Raises:
        ChecksumMismatch: There is none, or the file has another length.
    """
    if len(end) < SIZE:
        raise ChecksumMismatch(key, "is cut short")
    tail = Tail._make(FIELDS.unpack_from(end, len(end) - SIZE))
    if tail.magic != MAGIC or tail.size + tail.extra + SIZE != length:
        raise ChecksumMismatch(key, "is cut short, or not one of ours")
    return tail


def stat(tail: Tail, key: str, extra: bytes) -> Stat:
    """Return what callers see of it."""
    metadata: Mapping[str, str] = json.loads(extra)[0] if extra else {}
    expires = moment(tail.expires) if tail.expires else None
    return Stat(tail.version.hex(), tail.size, moment(tail.modified), key, metadata, expires)


def long_key(extra: bytes) -> str | None:
    """Return the key in the metadata of an object whose file's name does not show it."""
    return json.loads(extra)[1] or None if extra else None
