"""Metadata as the attributes of an object, which travel as HTTP headers."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKSUM = "shared-crc32"
WRITE = "shared-write"  # tells our own write from another's when an answer was lost
_HEADERS = {
    name.lower(): name
    for name in (
        "Cache-Control",
        "Content-Disposition",
        "Content-Encoding",
        "Content-Language",
        "Content-Type",
    )
}
_PLAIN = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # all of ASCII that is printed, but for %


def pack(metadata: Mapping[str, str], data: bytes | memoryview | None) -> dict[str, str]:
    """Return attributes; with the checksum of the content, if it is known.

    Characters outside of ASCII, and blanks at the ends, are written as %xx.
    """
    found = {_HEADERS.get(name, name): _escape(value) for name, value in metadata.items()}
    found[WRITE] = os.urandom(8).hex()
    if data is not None:
        found[CHECKSUM] = f"{zlib.crc32(data):08x}"
    return found


def unpack(attributes: Mapping[Any, str], *, default_type: bool) -> dict[str, str]:
    """Return the metadata in attributes.

    Args:
        attributes: What the store returned.
        default_type: Whether the content type is the store's own default.
    """
    return {
        str(name).lower(): unquote(value)
        for name, value in attributes.items()
        if name not in {CHECKSUM, WRITE} and not (default_type and name == "Content-Type")
    }


def _escape(value: str) -> str:
    safe = quote(value, safe=_PLAIN)
    if safe != safe.strip(" "):
        safe = quote(value, safe=_PLAIN[1:])
    return safe
