"""Normalized average true range."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import ratio, rma, true_range
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class NATR(Single):
    """Normalized average true range: ATR in percent of the close.

    0 where the close is 0.

    Source: John Forman, Technical Analysis of Stocks & Commodities (2006); equal to TA-Lib
    NATR.

    Args:
        period: Bars of Wilder's mean.

    Example:
        >>> from shared.indicators import NATR
        >>> NATR(2).calculate([2.0, 3.0, 5.0], [1.0, 2.0, 3.0], [2.0, 2.0, 4.0])
        array([nan, nan, 50.])
    """

    group: ClassVar[str] = "volatility"
    outputs: ClassVar[tuple[str, ...]] = ("natr",)

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr, close: Expr) -> Expr:
        """Divide the ATR by the close."""
        return ratio(rma(true_range(high, low, close), self.period), close, 0.0) * 100.0
