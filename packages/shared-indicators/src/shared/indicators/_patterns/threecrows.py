"""Three black crows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .candles import Candles, Candlestick

if TYPE_CHECKING:
    from .._base.types import FloatArray


class ThreeCrows(Candlestick):
    """Three black crows: three falling bodies, each opening in the one before and closing below it.

    The mirror of `ThreeSoldiers`.

    Source: Steve Nison, Japanese Candlestick Charting Techniques (1991).

    Example:
        >>> from shared.indicators import ThreeCrows
        >>> ThreeCrows().find([1.0], [1.0], [1.0], [1.0]).position
        array([], dtype=int64)
    """

    name: ClassVar[str] = "three black crows"
    candles: ClassVar[int] = 3
    directions: ClassVar[tuple[int, ...]] = (-1,)

    def score(self, now: Candles, sign: int) -> FloatArray:  # noqa: ARG002 - the same for all
        """Rate the shape: confidence falls with the shadows."""
        first, second = now.ago(2), now.ago(1)
        rising = (first.move > 0.0) & (second.move > 0.0) & (now.move > 0.0)
        higher = (second.close > first.close) & (now.close > second.close)
        within = (second.open >= first.open) & (second.open <= first.close)
        within &= (now.open >= second.open) & (now.open <= second.close)
        shadows = (first.upper + second.upper + now.upper) / (first.body + second.body + now.body)
        return np.where(rising & higher & within & (shadows < 0.5), 1.0 - shadows, 0.0)
