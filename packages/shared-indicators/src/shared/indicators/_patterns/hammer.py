"""Hammer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .candles import Candles, Candlestick, back, usual

if TYPE_CHECKING:
    from .._base.types import FloatArray


class Hammer(Candlestick):
    """Hammer: a long lower shadow under a small body, after a fall.

    The lower shadow is at least twice the body and half the range, the upper one at most a tenth of the
        range; the close of the bar before is below the mean of the ten closes before it.

    Source: Steve Nison, Japanese Candlestick Charting Techniques (1991).

    Example:
        >>> from shared.indicators import Hammer
        >>> Hammer().find([1.0], [1.0], [1.0], [1.0]).position
        array([], dtype=int64)
    """

    name: ClassVar[str] = "hammer"
    candles: ClassVar[int] = 1
    directions: ClassVar[tuple[int, ...]] = (1,)

    def score(self, now: Candles, sign: int) -> FloatArray:  # noqa: ARG002 - the same for all
        """Rate the shape: confidence grows with the shadow."""
        falling = back(now.close, 1) < usual(back(now.close, 1))
        shape = (now.lower >= 2.0 * now.body) & (now.upper <= 0.1 * now.range) & falling
        return np.where(shape & (now.lower >= 0.5 * now.range), now.lower / now.range, 0.0)
