"""SuperTrend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import number, whole

from .._base.checks import Convention, convention_of
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

    Source: Olivier Seban; equal to TA-Lib SUPERTREND.

    Args:
        period: Bars of the average true range.
        multiplier: Distance of the bands, in average true ranges.
        convention: `"talib"` starts as an uptrend, `"tradingview"` as a downtrend.

    Example:
        >>> from shared.indicators import SuperTrend
        >>> SuperTrend(1, 1.0).calculate(
        ...     [6.0, 5.0, 2.0], [4.0, 4.0, 1.0], [5.0, 5.0, 1.0]
        ... ).direction
        array([nan,  1., -1.])
    """

    group: ClassVar[str] = "trend"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("supertrend", "direction")
    result: ClassVar[Any] = SuperTrendResult

    def __init__(
        self, period: int = 10, multiplier: float = 3.0, *, convention: Convention = "talib"
    ) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.multiplier: float = number("multiplier", multiplier, least=0)
        self.convention: Convention = convention_of(convention)

    def formula(self, high: Expr, low: Expr, close: Expr) -> tuple[Expr, ...]:
        """Return the band that holds, and on which side it is."""
        start = 1.0 if self.convention == "talib" else 0.0
        middle = (high + low) / 2.0
        width = rma(true_range(high, low, close), self.period) * self.multiplier
        trail = machine("trail", (close, middle + width, middle - width), start)
        return pick(trail, 0), pick(trail, 1)
