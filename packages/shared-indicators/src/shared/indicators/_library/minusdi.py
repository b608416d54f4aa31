"""Minus directional indicator."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import directional
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class MinusDI(Single):
    """Minus directional indicator (-DI): the share of downward movement in the true range, 0 to 100.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); equal to TA-Lib
    MINUS_DI.

    Args:
        period: Bars of Wilder's sums.

    Example:
        >>> from shared.indicators import MinusDI
        >>> MinusDI(2).calculate([5.0, 3.0, 2.0], [3.0, 2.0, 1.0], [4.0, 2.0, 2.0]).round(3)
        array([nan, nan, 75.])
    """

    group: ClassVar[str] = "trend"
    outputs: ClassVar[tuple[str, ...]] = ("minus_di",)

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period, least=2)

    def formula(self, high: Expr, low: Expr, close: Expr) -> Expr:
        """Return -DI."""
        return directional(high, low, close, self.period)[1]
