"""Price volume trend."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._base.checks import Convention, convention_of
from .._formula.words import before, lag, ratio, running_total
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class PVT(Single):
    """Price volume trend: the running sum of volume times the relative change of the close.

    A change from 0 counts as none.

    Source: StockCharts, Price Volume Trend: PVT = previous PVT + volume * (close - previous close)
    / previous close; equal to TA-Lib PVT.

    Args:
        convention: `"talib"`: 0 at the first bar. `"tradingview"`: nothing at the first bar.

    Example:
        >>> from shared.indicators import PVT
        >>> PVT().calculate([1.0, 2.0, 1.0], [5.0, 1.0, 2.0])
        array([0., 1., 0.])
    """

    group: ClassVar[str] = "volume"
    outputs: ClassVar[tuple[str, ...]] = ("pvt",)

    def __init__(self, *, convention: Convention = "talib") -> None:
        super().__init__()
        self.convention: Convention = convention_of(convention)

    def formula(self, close: Expr, volume: Expr) -> Expr:
        """Return the running sum of volume times return."""
        previous = before(close) if self.convention == "talib" else lag(close)
        return running_total((ratio(close, previous, 1.0) - 1.0) * volume)
