"""Head and shoulders."""

from __future__ import annotations

from typing import ClassVar

from .reversals import ThreeTops


class HeadAndShoulders(ThreeTops):
    """Head and shoulders: a high between two lower ones, and a close below the line through the lows.

    Marked at the head, with direction -1.
    It becomes known with the close that breaks the line, and not before its last pivot is known. It is
    abandoned if a bar first goes beyond its extreme, or if nothing breaks within the time that it took.

    Source: Robert Edwards and John Magee, Technical Analysis of Stock Trends (1948).

    Args:
        left: Bars before a pivot that it exceeds.
        right: Bars after a pivot that do not exceed it.
        tolerance: How uneven it may be, relative to its height.

    Example:
        >>> from shared.indicators import HeadAndShoulders
        >>> HeadAndShoulders().find([1.0], [1.0], [1.0], [1.0]).known
        array([], dtype=int64)
    """

    name: ClassVar[str] = "head and shoulders"
    direction: ClassVar[int] = -1
