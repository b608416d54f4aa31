"""Volume weighted moving average."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import ratio, total
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class VWMA(Single):
    """Volume weighted moving average of the close.

    NaN where the window traded nothing.

    Source: the mean of the closes of the window, weighted by volume (TradingView ta.vwma).

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import VWMA
        >>> VWMA(2).calculate([1.0, 2.0, 4.0], [1.0, 3.0, 1.0])
        array([ nan, 1.75, 2.5 ])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("vwma",)

    def __init__(self, period: int = 20) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr, volume: Expr) -> Expr:
        """Divide money by volume."""
        traded = total(volume, self.period)
        return ratio(total(close * volume, self.period), traded, nan)
