"""Momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import change
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class Momentum(Single):
    """Momentum: the change over `period` bars.

    Source: TA-Lib MOM, with equal values.

    Args:
        period: Bars to look back.

    Example:
        >>> from shared.indicators import Momentum
        >>> Momentum(1).calculate([1.0, 2.0, 1.0])
        array([nan,  1., -1.])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("momentum",)

    def __init__(self, period: int = 10) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the change."""
        return change(close, self.period)
