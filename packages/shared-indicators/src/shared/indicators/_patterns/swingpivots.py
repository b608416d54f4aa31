"""Swing pivots."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .pattern import Found, Pattern
from .pivots import pivots

if TYPE_CHECKING:
    from .._base.types import FloatArray


class SwingPivots(Pattern):
    """Swing pivots: highs above and lows below their neighbours.

    A pivot is known `right` bars after it. Direction -1 marks a high (from here it fell), 1 a low.
    Confidence is the smaller of the moves to and from the pivot, over the larger and the range of the
    bar.

    Source: Bill Williams, Trading Chaos (1995), where `left` and `right` are 2.

    Args:
        left: Bars before the pivot that it exceeds.
        right: Bars after the pivot that do not exceed it.

    Example:
        >>> from shared.indicators import SwingPivots
        >>> price = [1.0, 2.0, 3.0, 2.0, 1.0]
        >>> found = SwingPivots(2, 2).find(price, price, price, price)
        >>> found.position, found.known
        (array([2]), array([4]))
    """

    name: ClassVar[str] = "swing pivot"

    def __init__(self, left: int = 3, right: int = 3) -> None:
        self.left: int = whole("left", left)
        self.right: int = whole("right", right)

    def _search(
        self, first: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray
    ) -> list[Found]:
        del first, close
        return [
            Found(p.bar - self.left, p.bar, p.known, -1 if p.high else 1, p.prominence)
            for p in pivots(high, low, self.left, self.right)
        ]
