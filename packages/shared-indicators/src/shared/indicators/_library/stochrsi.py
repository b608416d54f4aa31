"""Stochastic RSI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import whole

from .._base.constants import ROUNDING
from .._base.types import FloatArray
from .._formula.words import highest, lowest, mean, ratio
from .._indicator import Multiple
from .rsi import RSI

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class StochRSIResult(NamedTuple, Generic[T]):
    """The lines of `StochRSI`."""

    k: T
    d: T


class StochRSI(Multiple[StochRSIResult[Any], StochRSIResult[float], StochRSIResult[FloatArray]]):
    """Stochastic RSI: where the RSI lies in its own range, 0 to 100.

    0 where the RSI has no range.

    Source: Tushar Chande and Stanley Kroll, The New Technical Trader (1994); equal to TA-Lib
    STOCHRSI.

    Args:
        period: Bars of the RSI.
        k: Bars of the range.
        d: Bars of the average of %K that makes %D.

    Example:
        >>> from shared.indicators import StochRSI
        >>> StochRSI(2, 2, 1).calculate([1.0, 2.0, 1.0, 3.0, 2.0]).k
        array([ nan,  nan,  nan, 100.,   0.])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("k", "d")
    result: ClassVar[Any] = StochRSIResult

    def __init__(self, period: int = 14, k: int = 5, d: int = 3) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.k: int = whole("k", k)
        self.d: int = whole("d", d)

    def formula(self, close: Expr) -> tuple[Expr, ...]:
        """Return %K and %D of the RSI."""
        rsi = RSI(self.period).formula(close)
        floor = lowest(rsi, self.k)
        span = highest(rsi, self.k) - floor
        # Where the price stands still, rounding alone moves the RSI.
        fast = ratio(rsi - floor, span * (span > ROUNDING), 0.0) * 100.0
        return fast, mean(fast, self.d)
