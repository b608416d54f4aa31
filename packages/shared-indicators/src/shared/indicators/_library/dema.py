"""Double exponential moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import ema
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class DEMA(Single):
    """Double exponential moving average: twice the EMA minus the EMA of the EMA.

    Source: Patrick Mulloy, Technical Analysis of Stocks & Commodities (1994); equal to TA-Lib
    DEMA.

    Args:
        period: Bars of the averages.

    Example:
        >>> from shared.indicators import DEMA
        >>> DEMA(2).calculate([1.0, 2.0, 4.0, 7.0]).round(3)
        array([  nan,   nan, 4.   , 6.852])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("dema",)

    def __init__(self, period: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the average with half its lag taken back."""
        once = ema(close, self.period)
        return once * 2.0 - ema(once, self.period)
