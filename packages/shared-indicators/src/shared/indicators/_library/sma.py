"""Simple moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._checks import whole
from .._indicator import Single
from .._words import mean

if TYPE_CHECKING:
    from .._expr import Expr


class SMA(Single):
    """Simple moving average: the mean of the last `period` values.

    Source: TA-Lib SMA, equal to it. Summed within each window, so there is no drift.

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import SMA
        >>> SMA(3).calculate([1.0, 2.0, 3.0, 7.0])
        array([nan, nan,  2.,  4.])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("sma",)
    native: ClassVar[str] = "SMA"

    def __init__(self, period: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """The mean of the window."""
        return mean(close, self.period)
