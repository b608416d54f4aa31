"""Money flow index."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import change, ratio, size, total, typical
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class MFI(Single):
    """Money flow index: the share of rising money in all money that moved, 0 to 100.

    0 where no money moved.

    Source: Gene Quong and Avrum Soudack, Technical Analysis of Stocks & Commodities (1989);
    equal to TA-Lib MFI (which, unlike this, also returns 0 for flows below 1.0).

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import MFI
        >>> MFI(2).calculate(
        ...     [1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 1.0]
        ... ).round(3)
        array([   nan,    nan, 66.667])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("mfi",)

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr, close: Expr, volume: Expr) -> Expr:
        """Return the share of the money of rising bars."""
        price = typical(high, low, close)
        flow = price * volume
        move = change(price)
        # Typical prices that differ by rounding alone are equal.
        move = move * (size(move) > price * 1e-15)
        up = total(flow * (move > 0.0), self.period)
        down = total(flow * (move < 0.0), self.period)
        return ratio(up, up + down, 0.0) * 100.0
