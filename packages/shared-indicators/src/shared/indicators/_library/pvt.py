"""Price volume trend."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._formula.words import lag, ratio, running_total
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class PVT(Single):
    """Price volume trend: the running sum of volume times the relative change of the close.

    A change from 0 counts as none.

    Source: StockCharts and TradingView, Price Volume Trend: PVT = previous PVT + volume *
    (close - previous close) / previous close.

    Example:
        >>> from shared.indicators import PVT
        >>> PVT().calculate([1.0, 2.0, 1.0], [5.0, 1.0, 2.0])
        array([nan,  1.,  0.])
    """

    group: ClassVar[str] = "volume"
    outputs: ClassVar[tuple[str, ...]] = ("pvt",)

    def formula(self, close: Expr, volume: Expr) -> Expr:
        """Return the running sum of volume times return."""
        return running_total((ratio(close, lag(close), 1.0) - 1.0) * volume)
