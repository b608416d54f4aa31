"""Volume weighted average price."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, ClassVar

from .._formula.words import ratio, running_total, typical
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class VWAP(Single):
    """Volume weighted average price since the first bar, of the typical price.

    For separate sessions, call `calculate` once per session, or `reset()` the stream. NaN while
    nothing was traded.

    Source: the sum of typical price times volume over the sum of volume (StockCharts, VWAP).

    Example:
        >>> from shared.indicators import VWAP
        >>> VWAP().calculate([2.0, 4.0], [1.0, 2.0], [1.5, 3.0], [1.0, 1.0])
        array([1.5 , 2.25])
    """

    group: ClassVar[str] = "volume"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("vwap",)

    def formula(self, high: Expr, low: Expr, close: Expr, volume: Expr) -> Expr:
        """Divide money by volume, both since the start."""
        money = running_total(typical(high, low, close) * volume)
        return ratio(money, running_total(volume), nan)
