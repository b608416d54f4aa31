"""Engulfing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .candles import Candles, Candlestick

if TYPE_CHECKING:
    from .._base.types import FloatArray


class Engulfing(Candlestick):
    """Engulfing: a body that covers the opposite body before it.

    The larger the new body compared with the old one, the clearer.

    Source: Steve Nison, Japanese Candlestick Charting Techniques (1991).

    Example:
        >>> from shared.indicators import Engulfing
        >>> Engulfing().find([1.0], [1.0], [1.0], [1.0]).position
        array([], dtype=int64)
    """

    name: ClassVar[str] = "engulfing"
    candles: ClassVar[int] = 2
    directions: ClassVar[tuple[int, ...]] = (1, -1)

    def score(self, now: Candles, sign: int) -> FloatArray:  # noqa: ARG002 - the same for all
        """Rate the shape: confidence grows with the covering body."""
        old = now.ago(1)
        covers = (now.open <= old.close) & (now.close >= old.open) & (now.body > old.body)
        shape = (old.move < 0.0) & (now.move > 0.0) & covers
        return np.where(shape, 1.0 - 0.5 * old.body / now.body, 0.0)
