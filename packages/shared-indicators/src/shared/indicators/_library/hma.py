"""Hull moving average."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import weighted_mean
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class HMA(Single):
    """Hull moving average: WMA(2 WMA(period / 2) - WMA(period), sqrt(period)).

    Half of the period and its root are rounded down.

    Source: Alan Hull, "How to reduce lag in a moving average" (alanhull.com, 2005).

    Args:
        period: Bars of the slow average.

    Example:
        >>> from shared.indicators import HMA
        >>> HMA(4).calculate([1.0, 2.0, 4.0, 7.0, 11.0, 16.0]).round(3)
        array([   nan,    nan,    nan,    nan, 10.389, 15.389])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("hma",)

    def __init__(self, period: int = 16) -> None:
        super().__init__()
        self.period: int = whole("period", period, least=2)

    def formula(self, close: Expr) -> Expr:
        """Return the smoothed difference of two weighted means."""
        slow = weighted_mean(close, self.period)
        fast = weighted_mean(close, self.period // 2)
        return weighted_mean(fast * 2.0 - slow, isqrt(self.period))
