"""SuperTrend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import number, whole

from .._base.types import FloatArray
from .._formula.words import machine, pick, rma, true_range
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class SuperTrendResult(NamedTuple, Generic[T]):
    """The lines of `SuperTrend`."""

    supertrend: T
    direction: T


class SuperTrend(
    Multiple[SuperTrendResult[Any], SuperTrendResult[float], SuperTrendResult[FloatArray]]
):
    """SuperTrend: a band of average true ranges that trails the trend; direction 1 up, -1 down.

    Starts as a downtrend, as TradingView does.

    Source: Olivier Seban; the recursion of TradingView ta.supertrend with the ATR of Wilder
    (seeded as TA-Lib ATR).

    Args:
        period: Bars of the average true range.
        multiplier: Distance of the bands, in average true ranges.

    Example:
        >>> from shared.indicators import SuperTrend
        >>> SuperTrend(1, 1.0).calculate(
        ...     [2.0, 3.0, 6.0], [1.0, 2.0, 4.0], [2.0, 2.0, 6.0]
        ... ).direction
        array([nan, -1.,  1.])
    """

    group: ClassVar[str] = "trend"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("supertrend", "direction")
    result: ClassVar[Any] = SuperTrendResult

    def __init__(self, period: int = 10, multiplier: float = 3.0) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.multiplier: float = number("multiplier", multiplier, least=0)

    def formula(self, high: Expr, low: Expr, close: Expr) -> tuple[Expr, ...]:
        """Return the band that holds, and on which side it is."""
        middle = (high + low) / 2.0
        width = rma(true_range(high, low, close), self.period) * self.multiplier
        trail = machine("trail", (close, middle + width, middle - width))
        return pick(trail, 0), pick(trail, 1)
