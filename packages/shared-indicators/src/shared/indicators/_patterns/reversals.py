"""Reversals that are drawn through pivots; they are known when the neckline breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shared.core.checks import number, whole

from .pattern import Found, Pattern
from .pivots import Pivot, alternating, crossing, pivots

if TYPE_CHECKING:
    from .._base.types import FloatArray


class Reversal(Pattern):
    """Tops; a bottom is a top upside down."""

    turns: ClassVar[int] = 3
    direction: ClassVar[int] = -1

    def __init__(self, left: int = 3, right: int = 3, tolerance: float = 0.25) -> None:
        self.left: int = whole("left", left)
        self.right: int = whole("right", right)
        self.tolerance: float = number("tolerance", tolerance, least=0)

    def shape(self, line: list[Pivot]) -> float:
        """Return how well these turns, the last of them a top, make the pattern; 0 if they do not."""
        raise NotImplementedError

    def _search(
        self, first: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray
    ) -> list[Found]:
        del first
        if self.direction > 0:
            high, low, close = -low, -high, -close
        found: dict[int, Found] = {}
        for line in alternating(pivots(high, low, self.left, self.right)):
            turns = line[-self.turns :]
            if len(turns) < self.turns or not turns[-1].high:
                continue
            confidence = self.shape(turns)
            if confidence <= 0.0:
                continue
            one = self._broken(turns, high, close, confidence)
            # One break is one pattern: the first that was drawn.
            if one is not None:
                found.setdefault(one.known, one)
        return list(found.values())

    def _broken(
        self, turns: list[Pivot], high: FloatArray, close: FloatArray, confidence: float
    ) -> Found | None:
        start, last = turns[0].bar, turns[-1]
        valleys = [turn for turn in turns if not turn.high]
        bars = np.arange(len(close), dtype=np.float64)
        level = np.full(len(close), valleys[0].price)
        if len(valleys) > 1:
            a, b = valleys[0], valleys[-1]
            level += (b.price - a.price) / (b.bar - a.bar) * (bars - a.bar)
        # The break must come in about the time that the pattern took.
        limit = min(len(close) - 1, last.bar + max(last.bar - start, self.right))
        ceiling = max(turn.price for turn in turns)
        broke = crossing(close, last.bar, limit, level, ceiling, high)
        if broke is None:
            return None
        position = max((turn for turn in turns if turn.high), key=lambda turn: turn.price).bar
        if self.turns == 3:
            position = last.bar
        return Found(start, position, max(broke, last.known), self.direction, confidence)


class TwoTops(Reversal):
    """Two tops at about the same price."""

    def shape(self, line: list[Pivot]) -> float:
        """Rate the shape: confidence falls with the difference of the tops, relative to the depth of the valley."""
        one, valley, two = line
        depth = min(one.price, two.price) - valley.price
        apart = abs(one.price - two.price)
        if depth <= 0.0 or apart > self.tolerance * depth:
            return 0.0
        return max(1e-9, 1.0 - apart / depth)


class ThreeTops(Reversal):
    """A head between two shoulders."""

    turns: ClassVar[int] = 5

    def shape(self, line: list[Pivot]) -> float:
        """Rate the shape: confidence falls with the difference of the shoulders and of the valleys."""
        left, valley, head, dip, right = line
        height = head.price - max(valley.price, dip.price)
        shoulder = max(left.price, right.price)
        floor = max(valley.price, dip.price)
        if height <= 0.0 or head.price <= shoulder or min(left.price, right.price) <= floor:
            return 0.0
        uneven = abs(left.price - right.price) + abs(valley.price - dip.price)
        if uneven > 2.0 * self.tolerance * height:
            return 0.0
        return max(1e-9, 1.0 - 0.5 * uneven / height)
