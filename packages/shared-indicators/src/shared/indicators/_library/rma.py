"""Wilder's moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import rma
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class RMA(Single):
    """Wilder's moving average: an exponential average with alpha 1 / period.

    The first value is the mean of the first `period` values.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978).

    Args:
        period: Bars of the seed; sets alpha.

    Example:
        >>> from shared.indicators import RMA
        >>> RMA(2).calculate([1.0, 3.0, 6.0])
        array([nan,  2.,  4.])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("rma",)

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return Wilder's mean."""
        return rma(close, self.period)
