"""Rate of change."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import lag, ratio
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class ROC(Single):
    """Rate of change over `period` bars, in percent.

    0 where the earlier value is 0.

    Source: TA-Lib ROC, with equal values.

    Args:
        period: Bars to look back.

    Example:
        >>> from shared.indicators import ROC
        >>> ROC(1).calculate([1.0, 2.0, 1.0])
        array([ nan, 100., -50.])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("roc",)

    def __init__(self, period: int = 10) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the change relative to the earlier value."""
        return (ratio(close, lag(close, self.period), 1.0) - 1.0) * 100.0
