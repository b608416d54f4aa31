"""Chaikin money flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import money_flow, ratio, total
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class ChaikinMoneyFlow(Single):
    """Chaikin money flow: the money flow of the window over its volume, -1 to 1.

    0 where the window traded nothing.

    Source: Marc Chaikin (StockCharts, Chaikin Money Flow).

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import ChaikinMoneyFlow
        >>> ChaikinMoneyFlow(2).calculate([2.0, 3.0], [1.0, 2.0], [2.0, 2.5], [3.0, 1.0])
        array([ nan, 0.75])
    """

    group: ClassVar[str] = "volume"
    outputs: ClassVar[tuple[str, ...]] = ("cmf",)

    def __init__(self, period: int = 20) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr, close: Expr, volume: Expr) -> Expr:
        """Divide money flow by volume."""
        flow = total(money_flow(high, low, close, volume), self.period)
        return ratio(flow, total(volume, self.period), 0.0)
