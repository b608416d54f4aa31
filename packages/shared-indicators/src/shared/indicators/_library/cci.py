"""Commodity channel index."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import mean, mean_deviation, ratio, size, typical
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class CCI(Single):
    """Commodity channel index: distance of the typical price from its mean, in mean deviations.

    0 where the window is constant.

    Source: Donald Lambert, Commodities magazine (1980); equal to TA-Lib CCI.

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import CCI
        >>> CCI(2).calculate([3.0, 4.0], [1.0, 2.0], [2.0, 3.0]).round(3)
        array([   nan, 66.667])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("cci",)

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr, close: Expr) -> Expr:
        """Return the distance in units of 0.015 mean deviations."""
        price = typical(high, low, close)
        middle = mean(price, self.period)
        spread = mean_deviation(price, self.period)
        # Rounding alone spreads a constant window a little.
        spread = spread * (spread > size(middle) * 1e-14)
        return ratio(price - middle, spread * 0.015, 0.0)
