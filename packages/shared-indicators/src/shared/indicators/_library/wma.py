"""Weighted moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import weighted_mean
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class WMA(Single):
    """Weighted moving average: weights 1 (oldest) to `period` (newest).

    Source: TA-Lib WMA, with equal values.

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import WMA
        >>> WMA(2).calculate([1.0, 4.0, 7.0])
        array([nan,  3.,  6.])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("wma",)

    def __init__(self, period: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the weighted mean."""
        return weighted_mean(close, self.period)
