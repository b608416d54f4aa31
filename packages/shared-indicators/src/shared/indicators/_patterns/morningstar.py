"""Morning star."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .candles import Candles, Candlestick, usual

if TYPE_CHECKING:
    from .._base.types import FloatArray


class MorningStar(Candlestick):
    """Morning star: a long fall, a small body at the bottom, and a rise into the upper half of the fall.

    The first body is longer than usual (the mean of the ten before it), the second below 0.4 of it.

    Source: Steve Nison, Japanese Candlestick Charting Techniques (1991).

    Example:
        >>> from shared.indicators import MorningStar
        >>> MorningStar().find([1.0], [1.0], [1.0], [1.0]).position
        array([], dtype=int64)
    """

    name: ClassVar[str] = "morning star"
    candles: ClassVar[int] = 3
    directions: ClassVar[tuple[int, ...]] = (1,)

    def score(self, now: Candles, sign: int) -> FloatArray:  # noqa: ARG002 - the same for all
        """Rate the shape: confidence grows with how much of the fall is taken back."""
        first, middle = now.ago(2), now.ago(1)
        small = (middle.body < 0.4 * first.body) & (middle.top < first.bottom + 0.5 * first.body)
        back_up = (now.move > 0.0) & (now.close > first.bottom + 0.5 * first.body)
        lowest = (middle.low <= first.low) & (middle.low <= now.low)
        shape = (first.move < 0.0) & (first.body > usual(first.body)) & small & back_up & lowest
        return np.where(shape, np.minimum(1.0, (now.close - first.bottom) / first.body), 0.0)
