"""Williams %R."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import highest, lowest, ratio
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class WilliamsR(Single):
    """Williams %R: how far the close is below the top of the range, -100 to 0.

    0 where the window has no range.

    Source: Larry Williams, How I Made One Million Dollars (1973); equal to TA-Lib WILLR.

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import WilliamsR
        >>> WilliamsR(2).calculate([2.0, 3.0, 4.0], [1.0, 2.0, 2.0], [2.0, 2.0, 3.0])
        array([ nan, -50., -50.])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("williams_r",)

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr, close: Expr) -> Expr:
        """Return the share of the range above the close."""
        top = highest(high, self.period)
        return ratio(top - close, top - lowest(low, self.period), 0.0) * -100.0
