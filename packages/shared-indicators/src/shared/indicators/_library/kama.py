"""Kaufman's adaptive moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import change, lag, machine, minimum, pick, ratio, size, total, where
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class KAMA(Single):
    """Kaufman's adaptive moving average: fast in a trend, slow in noise.

    Starts from the price before its first value.

    Source: Perry Kaufman, Smarter Trading (1995); equal to TA-Lib KAMA (which fixes fast at 2
    and slow at 30).

    Args:
        period: Bars over which the efficiency is measured.
        fast: Bars of the EMA at full efficiency.
        slow: Bars of the EMA without any.

    Example:
        >>> from shared.indicators import KAMA
        >>> KAMA(2).calculate([1.0, 2.0, 4.0, 3.0, 5.0]).round(3)
        array([  nan,   nan, 2.889, 2.897, 3.045])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("kama",)

    def __init__(self, period: int = 30, fast: int = 2, slow: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.fast: int = whole("fast", fast)
        self.slow: int = whole("slow", slow)

    def formula(self, close: Expr) -> Expr:
        """Follow the price by the square of a share between the two EMAs."""
        way = total(size(change(close)), self.period)
        moved = change(close, self.period)
        efficiency = where(moved >= way, 1.0, minimum(ratio(size(moved), way, 1.0), 1.0))
        quick, calm = 2.0 / (self.fast + 1), 2.0 / (self.slow + 1)
        share = efficiency * (quick - calm) + calm
        return pick(machine("follow", (close, share * share, lag(close))), 0)
