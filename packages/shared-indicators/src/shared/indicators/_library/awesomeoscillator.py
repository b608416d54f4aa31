"""Awesome oscillator."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._base.checks import increasing
from .._formula.words import mean
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class AwesomeOscillator(Single):
    """Awesome oscillator: short minus long simple average of the middle of the bars.

    Source: Bill Williams, New Trading Dimensions (1998).

    Args:
        fast: Bars of the short average.
        slow: Bars of the long average.

    Example:
        >>> from shared.indicators import AwesomeOscillator
        >>> AwesomeOscillator(1, 2).calculate([2.0, 3.0, 5.0], [1.0, 2.0, 3.0])
        array([ nan, 0.5 , 0.75])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("awesome_oscillator",)

    def __init__(self, fast: int = 5, slow: int = 34) -> None:
        super().__init__()
        self.fast: int = whole("fast", fast)
        self.slow: int = whole("slow", slow)
        increasing(fast=self.fast, slow=self.slow)

    def formula(self, high: Expr, low: Expr) -> Expr:
        """Return the difference of the averages."""
        middle = (high + low) / 2.0
        return mean(middle, self.fast) - mean(middle, self.slow)
