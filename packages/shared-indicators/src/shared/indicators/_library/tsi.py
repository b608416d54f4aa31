"""True strength index."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import change, ema, ratio, size
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class TSI(Single):
    """True strength index: the doubly smoothed change over the doubly smoothed size of the change.

    0 where nothing moved.

    Source: William Blau, Technical Analysis of Stocks & Commodities (1991).

    Args:
        slow: Bars of the first average.
        fast: Bars of the second average.

    Example:
        >>> from shared.indicators import TSI
        >>> TSI(2, 2).calculate([1.0, 2.0, 4.0, 3.0, 5.0]).round(3)
        array([   nan,    nan,    nan, 50.   , 67.442])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("tsi",)

    def __init__(self, slow: int = 25, fast: int = 13) -> None:
        super().__init__()
        self.slow: int = whole("slow", slow)
        self.fast: int = whole("fast", fast)

    def formula(self, close: Expr) -> Expr:
        """Divide the net move by the way."""
        move = change(close)
        net = ema(ema(move, self.slow), self.fast)
        way = ema(ema(size(move), self.slow), self.fast)
        return ratio(net, way, 0.0) * 100.0
