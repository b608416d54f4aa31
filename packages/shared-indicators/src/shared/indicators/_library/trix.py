"""TRIX."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import ema, lag, ratio
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class TRIX(Single):
    """TRIX: the change of a triply smoothed EMA in one bar, in percent.

    0 where the smoothed value before is 0.

    Source: Jack Hutson, Technical Analysis of Stocks & Commodities (1983); equal to TA-Lib
    TRIX.

    Args:
        period: Bars of the averages.

    Example:
        >>> from shared.indicators import TRIX
        >>> TRIX(1).calculate([1.0, 2.0, 1.0])
        array([ nan, 100., -50.])
    """

    group: ClassVar[str] = "trend"
    outputs: ClassVar[tuple[str, ...]] = ("trix",)

    def __init__(self, period: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the relative change of the smoothed price."""
        smooth = ema(ema(ema(close, self.period), self.period), self.period)
        return (ratio(smooth, lag(smooth), 1.0) - 1.0) * 100.0
