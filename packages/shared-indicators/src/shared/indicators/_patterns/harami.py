"""Harami."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .candles import Candles, Candlestick, usual

if TYPE_CHECKING:
    from .._base.types import FloatArray


class Harami(Candlestick):
    """Harami: a small body inside the long opposite body before it.

    The outer body is longer than usual (the mean of the ten before it), the inner one less than half of it.

    Source: Steve Nison, Japanese Candlestick Charting Techniques (1991).

    Example:
        >>> from shared.indicators import Harami
        >>> Harami().find([1.0], [1.0], [1.0], [1.0]).position
        array([], dtype=int64)
    """

    name: ClassVar[str] = "harami"
    candles: ClassVar[int] = 2
    directions: ClassVar[tuple[int, ...]] = (1, -1)

    def score(self, now: Candles, sign: int) -> FloatArray:  # noqa: ARG002 - the same for all
        """Rate the shape: confidence falls with the inner body."""
        outer = now.ago(1)
        inside = (
            (now.open >= outer.close) & (now.close <= outer.open) & (now.body < 0.5 * outer.body)
        )
        shape = (outer.move < 0.0) & (now.move > 0.0) & inside & (outer.body > usual(outer.body))
        return np.where(shape, 1.0 - now.body / outer.body, 0.0)
