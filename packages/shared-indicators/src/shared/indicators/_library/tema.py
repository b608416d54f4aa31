"""Triple exponential moving average."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import ema
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class TEMA(Single):
    """Triple exponential moving average: 3 EMA - 3 EMA(EMA) + EMA(EMA(EMA)).

    Source: Patrick Mulloy, Technical Analysis of Stocks & Commodities (1994); equal to TA-Lib
    TEMA.

    Args:
        period: Bars of the averages.

    Example:
        >>> from shared.indicators import TEMA
        >>> TEMA(2).calculate([1.0, 2.0, 4.0, 7.0, 11.0]).round(3)
        array([   nan,    nan,    nan,  6.852, 10.93 ])
    """

    group: ClassVar[str] = "overlap"
    outputs: ClassVar[tuple[str, ...]] = ("tema",)

    def __init__(self, period: int = 30) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, close: Expr) -> Expr:
        """Return the average with most of its lag taken back."""
        once = ema(close, self.period)
        twice = ema(once, self.period)
        return once * 3.0 - twice * 3.0 + ema(twice, self.period)
