"""Keltner channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import number, whole

from .._base.checks import Convention, convention_of
from .._base.types import FloatArray
from .._formula.words import ema, rma, true_range, typical
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class KeltnerChannelsResult(NamedTuple, Generic[T]):
    """The lines of `KeltnerChannels`."""

    upper: T
    middle: T
    lower: T


class KeltnerChannels(
    Multiple[
        KeltnerChannelsResult[Any], KeltnerChannelsResult[float], KeltnerChannelsResult[FloatArray]
    ]
):
    """Keltner channels: an EMA of the price and `multiplier` average true ranges to both sides.

    Source: Chester Keltner, How to Make Money in Commodities (1960), in the form of Linda
    Raschke (EMA 20, ATR 10, 2); equal to TA-Lib KC.

    Args:
        period: Bars of the EMA.
        atr_period: Bars of the average true range.
        multiplier: Width to each side, in average true ranges.
        convention: `"talib"`: the typical price, and both averages seeded by the bars before the
            first value. `"tradingview"`: the close, and each average seeded by its own first bars.

    Example:
        >>> from shared.indicators import KeltnerChannels
        >>> KeltnerChannels(2, 1, 1.0).calculate([2.0, 3.0], [1.0, 2.0], [1.5, 2.5]).upper
        array([nan, 3.5])
    """

    group: ClassVar[str] = "volatility"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("upper", "middle", "lower")
    result: ClassVar[Any] = KeltnerChannelsResult

    def __init__(
        self,
        period: int = 20,
        atr_period: int = 10,
        multiplier: float = 2.0,
        *,
        convention: Convention = "talib",
    ) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.atr_period: int = whole("atr_period", atr_period)
        self.multiplier: float = number("multiplier", multiplier)
        self.convention: Convention = convention_of(convention)

    def formula(self, high: Expr, low: Expr, close: Expr) -> tuple[Expr, ...]:
        """Return the average and the bands."""
        price, late, early = close, 0, 0
        if self.convention == "talib":
            price = typical(high, low, close)
            late, early = max(self.atr_period - self.period + 1, 0), self.period - 1
        middle = ema(price, self.period, skip=late)
        ranges = true_range(high, low, close)
        width = rma(ranges, self.atr_period, skip=max(early - self.atr_period, 0)) * self.multiplier
        return middle + width, middle, middle - width
