"""Inverse head and shoulders."""

from __future__ import annotations

from typing import ClassVar

from .reversals import ThreeTops


class InverseHeadAndShoulders(ThreeTops):
    """Inverse head and shoulders: the mirror of `HeadAndShoulders`, with direction 1.

    Marked at the head.
    It becomes known with the close that breaks the line, and not before its last pivot is known. It is
    abandoned if a bar first goes beyond its extreme, or if nothing breaks within the time that it took.

    Source: Robert Edwards and John Magee, Technical Analysis of Stock Trends (1948).

    Args:
        left: Bars before a pivot that it exceeds.
        right: Bars after a pivot that do not exceed it.
        tolerance: How uneven it may be, relative to its height.

    Example:
        >>> from shared.indicators import InverseHeadAndShoulders
        >>> InverseHeadAndShoulders().find([1.0], [1.0], [1.0], [1.0]).known
        array([], dtype=int64)
    """

    name: ClassVar[str] = "inverse head and shoulders"
    direction: ClassVar[int] = 1
