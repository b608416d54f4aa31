"""Simple moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import mean
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class SMA(Single):
    """Simple moving average: the mean of the last `period` values.

    Source: TA-Lib SMA, with equal values. Summed within each window, so there is no drift.

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import SMA
        >>> SMA(3).calculate([1.0, 2.0, 3.0, 7.0])
        array([nan, nan,  2.,  4.])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("sma",)

    def __init__(self, period: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the mean of the window."""
        return mean(close, self.period)
