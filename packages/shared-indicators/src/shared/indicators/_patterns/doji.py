"""Doji."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .candles import Candles, Candlestick

if TYPE_CHECKING:
    from .._base.types import FloatArray


class Doji(Candlestick):
    """Doji: a candle that closes where it opened.

    The body is at most a tenth of the range.

    Source: Steve Nison, Japanese Candlestick Charting Techniques (1991).

    Example:
        >>> from shared.indicators import Doji
        >>> Doji().find([1.0], [1.0], [1.0], [1.0]).position
        array([], dtype=int64)
    """

    name: ClassVar[str] = "doji"
    candles: ClassVar[int] = 1
    directions: ClassVar[tuple[int, ...]] = (0,)

    def score(self, now: Candles, sign: int) -> FloatArray:  # noqa: ARG002 - the same for all
        """Rate the shape: confidence falls with the body."""
        shape = 1.0 - now.body / (0.1 * now.range)
        # A bar without a body is a doji, however small the range; without a range it is not a candle.
        return np.where(now.range > 0.0, np.maximum(shape, 0.0), 0.0)
