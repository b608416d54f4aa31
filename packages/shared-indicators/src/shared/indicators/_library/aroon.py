"""Aroon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import whole

from .._base.types import FloatArray
from .._formula.words import bars_since_high, bars_since_low
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class AroonResult(NamedTuple, Generic[T]):
    """The lines of `Aroon`."""

    up: T
    down: T


class Aroon(Multiple[AroonResult[Any], AroonResult[float], AroonResult[FloatArray]]):
    """Aroon: how recent the extremes of the last `period` bars are, 0 to 100.

    Of equal extremes the newest counts.

    Source: Tushar Chande, Technical Analysis of Stocks & Commodities (1995); equal to TA-Lib
    AROON.

    Args:
        period: Bars to look back; the window has one more.

    Example:
        >>> from shared.indicators import Aroon
        >>> Aroon(2).calculate([2.0, 3.0, 2.5], [1.0, 2.0, 2.0]).up
        array([nan, nan, 50.])
    """

    group: ClassVar[str] = "trend"
    outputs: ClassVar[tuple[str, ...]] = ("up", "down")
    result: ClassVar[Any] = AroonResult

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr) -> tuple[Expr, ...]:
        """Return the ages of high and low."""
        scale = 100.0 / self.period
        up = (self.period - bars_since_high(high, self.period + 1)) * scale
        down = (self.period - bars_since_low(low, self.period + 1)) * scale
        return up, down
