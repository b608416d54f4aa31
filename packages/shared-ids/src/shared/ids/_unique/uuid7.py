"""UUID version 7.

Source: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ticks import Block, Ticks

if TYPE_CHECKING:
    from uuid import UUID

TICKS = Ticks()
LOW = (1 << 62) - 1
VERSION = 7 << 76 | 2 << 62
VERSION_BITS = 15 << 76 | 3 << 62


def number() -> int:
    """Return the next one as an integer of 128 bits."""
    block, low = TICKS.next()
    return number_of(block) | low


def number_of(block: Block) -> int:
    """Return 128 bits: the time, the version, 12 bits of the counter, the variant, 62 bits of it."""
    millisecond, high = block
    return millisecond << 80 | VERSION | high >> 52 << 64 | (high << 10) & LOW


def generate_uuid7() -> UUID:
    """Return a UUID whose order is the order of its making.

    Within a process each is greater than the one before, in all threads and even when the clock is
    set back. Anyone who knows one can guess its neighbours: it is not a secret.

    Example:
        >>> first, second = generate_uuid7(), generate_uuid7()
        >>> first < second, first.version
        (True, 7)
    """
    from uuid import UUID

    return UUID(int=number())
