"""A record as a line of strict JSON."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from datetime import datetime

    from .._record.fields import Record

OPTIONS: Final = (
    orjson.OPT_UTC_Z
    | orjson.OPT_APPEND_NEWLINE
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
)
# C1 controls (U+0085 and U+009B among them) and the line separators, as UTF-8.
_BREAKERS: Final = re.compile(rb"\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")


def encode_json(record: Record) -> bytes:
    """Return one strict JSON line; the record holds only what orjson accepts."""
    line = orjson.dumps(record, None, OPTIONS)
    return line if line.isascii() else escape_breakers(line)


def escape_breakers(line: bytes) -> bytes:
    """Escape what would break or colour a line in a terminal."""
    return _BREAKERS.sub(_escape, line)


def _escape(match: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(match[0].decode())


def escape_char(char: str) -> str:
    """Return a character as JSON escapes it."""
    pairs = char.encode("utf-16-be")
    return "".join(f"\\u{pairs[i] << 8 | pairs[i + 1]:04x}" for i in range(0, len(pairs), 2))


def stamp_of(moment: datetime) -> str:
    """Return RFC 3339 in UTC, always with microseconds, which orjson omits if they are zero."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
