"""Which texts are keys: the same in every store."""

from __future__ import annotations

import re

from shared.core.checks import refuse

from .errors import InvalidKey

MOST_BYTES = 1024
RESERVED = ".shared"  # what the stores need for themselves

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_NO_SEGMENTS = {"", ".", ".."}


def check_key(key: str, name: str = "key") -> str:
    """Return the key if it is one.

    A key is 1 to 1,024 bytes of UTF-8 without control characters. Its parts, between the `/`, are
    not empty, `.` or `..`; the first is not `.shared`. Nothing else has a meaning: upper and lower
    case, forms of unicode, backslashes and the names of devices all make different keys.

    Raises:
        TypeError: It is not a string.
        InvalidKey: It is not a key.
    """
    if not isinstance(key, str):
        raise refuse(name, "a string", key, TypeError)
    if not _is_short(key):
        raise refuse(name, f"from 1 to {MOST_BYTES} bytes of UTF-8", key, InvalidKey)
    if _CONTROL.search(key):
        raise refuse(name, "without control characters", key, InvalidKey)
    parts = key.split("/")
    if not _NO_SEGMENTS.isdisjoint(parts):
        raise refuse(name, "parts between / that are not empty, '.' or '..'", key, InvalidKey)
    if parts[0] == RESERVED:
        raise refuse(name, f"outside {RESERVED}/, which is reserved", key, InvalidKey)
    return key


def check_prefix(prefix: str, name: str = "prefix") -> str:
    """Return the beginning of keys, which may be empty and end anywhere; errors as of a key."""
    if not isinstance(prefix, str):
        raise refuse(name, "a string", prefix, TypeError)
    if prefix:
        check_key(f"{prefix}x" if prefix.endswith(("/", ".")) else prefix, name)
    return prefix


def _is_short(key: str) -> bool:
    try:
        return 0 < len(key) <= MOST_BYTES and len(key.encode()) <= MOST_BYTES
    except UnicodeEncodeError:  # a lone surrogate
        return False
