"""Percentage price oscillator."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._base.checks import increasing
from .._formula.words import ema, ratio
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class PPO(Single):
    """Percentage price oscillator: fast minus slow EMA, in percent of the slow one.

    Source: Gerald Appel; equal to TA-Lib PPO with matype 1 (EMA).

    Args:
        fast: Bars of the fast average.
        slow: Bars of the slow average.

    Example:
        >>> from shared.indicators import PPO
        >>> PPO(2, 3).calculate([1.0, 2.0, 4.0, 7.0]).round(3)
        array([   nan,    nan, 35.714, 22.619])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("ppo",)

    def __init__(self, fast: int = 12, slow: int = 26) -> None:
        super().__init__()
        self.fast: int = whole("fast", fast)
        self.slow: int = whole("slow", slow)
        increasing(fast=self.fast, slow=self.slow)

    def formula(self, close: Expr) -> Expr:
        """Return the distance of the averages relative to the slow one."""
        slow = ema(close, self.slow)
        fast = ema(close, self.fast)
        return ratio(fast - slow, slow, 0.0) * 100.0
