"""Exponential moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import ema
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class EMA(Single):
    """Exponential moving average, alpha 2 / (period + 1).

    Source: TA-Lib EMA, with equal values: the first value is the mean of the first `period` values.

    Args:
        period: Bars of the seed; sets alpha.

    Example:
        >>> from shared.indicators import EMA
        >>> EMA(3).calculate([1.0, 2.0, 3.0, 7.0])
        array([nan, nan, 2. , 4.5])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("ema",)

    def __init__(self, period: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the exponential mean."""
        return ema(close, self.period)
