"""True range."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._formula.words import true_range
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class TrueRange(Single):
    """True range: the range of the bar, widened to the close before it.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); equal to TA-Lib
    TRANGE.

    Example:
        >>> from shared.indicators import TrueRange
        >>> TrueRange().calculate([2.0, 3.0, 5.0], [1.0, 2.5, 3.0], [2.0, 2.5, 4.0])
        array([nan, 1. , 2.5])
    """

    group: ClassVar[str] = "volatility"
    outputs: ClassVar[tuple[str, ...]] = ("true_range",)

    def formula(self, high: Expr, low: Expr, close: Expr) -> Expr:
        """Return the widened range."""
        return true_range(high, low, close)
