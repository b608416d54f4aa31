"""Chaikin oscillator."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._base.checks import increasing
from .._formula.words import after, ema_from_first, money_flow, running_total
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class ChaikinOscillator(Single):
    """Chaikin oscillator: fast minus slow EMA of the accumulation/distribution line.

    Both averages start at the first value of the line.

    Source: Marc Chaikin; equal to TA-Lib ADOSC.

    Args:
        fast: Bars of the fast average.
        slow: Bars of the slow average.

    Example:
        >>> from shared.indicators import ChaikinOscillator
        >>> ChaikinOscillator(1, 2).calculate([2.0, 3.0], [1.0, 2.0], [2.0, 2.5], [6.0, 1.0])
        array([nan,  0.])
    """

    group: ClassVar[str] = "volume"
    outputs: ClassVar[tuple[str, ...]] = ("chaikin_oscillator",)

    def __init__(self, fast: int = 3, slow: int = 10) -> None:
        super().__init__()
        self.fast: int = whole("fast", fast)
        self.slow: int = whole("slow", slow)
        increasing(fast=self.fast, slow=self.slow)

    def formula(self, high: Expr, low: Expr, close: Expr, volume: Expr) -> Expr:
        """Return the difference of the averages of the line."""
        line = running_total(money_flow(high, low, close, volume))
        spread = ema_from_first(line, self.fast) - ema_from_first(line, self.slow)
        return after(spread, self.slow - 1)
