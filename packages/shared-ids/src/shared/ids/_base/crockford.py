"""Crockford's base 32, 10 bits at a time.

Source: https://www.crockford.com/base32.html
"""

from __future__ import annotations

import functools

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
MASK = 0x3FF


@functools.cache
def pairs() -> list[str]:
    """Return the two digits of every number below 1024."""
    return [high + low for high in DIGITS for low in DIGITS]


@functools.cache
def _values() -> dict[str, int]:
    return {digit: value for value, digit in enumerate(DIGITS)}


def encode(number: int, length: int) -> str:
    """Return a number in `length` digits, an even count.

    Example:
        >>> encode(1023, 4), encode(32, 2)
        ('00zz', '10')
    """
    table = pairs()
    return "".join([table[number >> shift & MASK] for shift in range(5 * (length - 2), -1, -10)])


def decode(text: str) -> int:
    """Return the number; a KeyError for a character that is not a lower-case digit.

    Example:
        >>> decode("00zz")
        1023
    """
    values = _values()
    number = 0
    for character in text:
        number = number << 5 | values[character]
    return number
