"""ULIDs.

Source: https://github.com/ulid/spec
"""

from __future__ import annotations

from random import getrandbits

from .._base.crockford import encode
from .ticks import Ticks

_ticks = Ticks()


def generate_ulid() -> str:
    """Return a ULID: 26 upper-case characters whose order is the order of their making.

    Monotonic within a process, as `generate_uuid7` is.

    Example:
        >>> first, second = generate_ulid(), generate_ulid()
        >>> len(first), first < second
        (26, True)
    """
    (millisecond, high), low = _ticks.next()
    return (encode(millisecond, 10) + encode(high << 16 | low << 6 | getrandbits(6), 16)).upper()
