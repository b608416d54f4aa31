"""Random tokens, and the time as text."""

from __future__ import annotations

import functools
import os

from shared.core.checks import refuse, text, whole

from .uuid7 import number

SHORT = "23456789abcdefghijkmnpqrstuvwxyz"
"""Without 0, 1, l and o, which are easily taken for one another."""


def generate_short_id(length: int = 12, alphabet: str = SHORT) -> str:
    """Return random characters, each equally likely, from the system's secure source.

    Two of `n` such ids are equal with a probability of about `n**2 / (2 * len(alphabet)**length)`:
    among a million of 12 characters, 4 in 10 million.

    Args:
        length: 1 to 1,024 characters.
        alphabet: 2 to 256 characters, each once.

    Raises:
        ValueError: A length or an alphabet that is not allowed.

    Example:
        >>> len(generate_short_id()), set(generate_short_id(50, "ab")) == {"a", "b"}
        (12, True)
    """
    whole("length", length, most=1024)
    table, unfit = _draw(alphabet)
    found = b""
    while len(found) < length:
        # Bytes beyond the last whole multiple of the alphabet would favour its beginning.
        found += os.urandom(2 * (length - len(found)) + 8).translate(table, unfit)
    if alphabet.isascii():
        return found[:length].decode()
    return "".join([alphabet[place] for place in found[:length]])


@functools.lru_cache(64)
def _draw(alphabet: str) -> tuple[bytes, bytes]:
    """Return what each byte stands for, and the bytes to leave out."""
    text("alphabet", alphabet)
    size = len(alphabet)
    if not 2 <= size <= 256 or len(set(alphabet)) < size:
        raise refuse("alphabet", "2 to 256 characters, each once", alphabet)
    places = alphabet.encode() if alphabet.isascii() else bytes(range(size))
    fit = 256 - 256 % size
    return (places * (256 // size)).ljust(256, b"\0"), bytes(range(fit, 256))


def generate_session_id(bytes: int = 32) -> str:  # noqa: A002 - the name of the contract
    """Return a secret token for a session, safe in URLs and cookies.

    Args:
        bytes: How many random bytes, 16 to 1,024; 3 bytes are 4 characters.

    Raises:
        ValueError: Fewer bytes could be guessed.

    Example:
        >>> len(generate_session_id())
        43
    """
    import secrets

    return secrets.token_urlsafe(whole("bytes", bytes, least=16, most=1024))


def generate_correlation_id() -> str:
    """Return 32 hexadecimal digits, in the order of their making; a valid W3C trace id.

    Example:
        >>> first, second = generate_correlation_id(), generate_correlation_id()
        >>> len(first), first < second
        (32, True)
    """
    return f"{number():032x}"


def generate_timestamp() -> str:
    """Return the current time in UTC as ISO 8601 with microseconds: 2026-11-28T19:10:05.012345Z.

    Example:
        >>> len(generate_timestamp()), generate_timestamp()[-1]
        (27, 'Z')
    """
    from datetime import UTC, datetime

    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
