"""Average true range."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import rma, true_range
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class ATR(Single):
    """Average true range: Wilder's mean of the true range.

    The first value is the mean of the first `period` true ranges.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); equal to TA-Lib
    ATR.

    Args:
        period: Bars of Wilder's mean.

    Example:
        >>> from shared.indicators import ATR
        >>> ATR(2).calculate([2.0, 3.0, 5.0], [1.0, 2.0, 3.0], [2.0, 2.0, 4.0])
        array([nan, nan,  2.])
    """

    group: ClassVar[str] = "volatility"
    outputs: ClassVar[tuple[str, ...]] = ("atr",)

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr, close: Expr) -> Expr:
        """Return Wilder's mean of the true range."""
        return rma(true_range(high, low, close), self.period)
