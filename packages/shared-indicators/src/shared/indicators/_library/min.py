"""Lowest value of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import lowest
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class Min(Single):
    """Lowest value of the last `period` values.

    Source: TA-Lib MIN, with equal values.

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import Min
        >>> Min(2).calculate([1.0, 3.0, 2.0, 1.0])
        array([nan,  1.,  2.,  1.])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("min",)

    def __init__(self, period: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the smallest of the window."""
        return lowest(close, self.period)
