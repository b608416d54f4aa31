"""Relative strength index."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import number, whole

from .._formula.words import change, maximum, ratio, rma
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class RSI(Single):
    """Relative strength index: the share of gains in all moves, 0 to 100.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); equal to TA-Lib RSI.
    The first averages are the means of the first `period` moves. All gains return 100.0, all losses 0.0.

    Args:
        period: Bars of Wilder's averages.
        flat: The value where nothing moved.

    Example:
        >>> from shared.indicators import RSI
        >>> RSI(2).calculate([1.0, 2.0, 1.0, 2.0]).round(2)
        array([nan, nan, 50., 75.])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("rsi",)

    def __init__(self, period: int = 14, *, flat: float = 50.0) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.flat: float = number("flat", flat)

    def formula(self, close: Expr) -> Expr:
        """Divide the average gain by the average move."""
        move = change(close)
        gained = maximum(move, 0.0)
        gain, loss = rma(gained, self.period), rma(gained - move, self.period)
        return ratio(gain, gain + loss, self.flat / 100.0) * 100.0
