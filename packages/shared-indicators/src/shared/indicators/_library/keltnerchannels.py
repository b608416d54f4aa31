"""Keltner channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import number, whole

from .._base.types import FloatArray
from .._formula.words import ema, rma, true_range
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
    """Keltner channels: an EMA of the close and `multiplier` average true ranges to both sides.

    Source: Chester Keltner, How to Make Money in Commodities (1960), in the form of Linda
    Raschke (StockCharts: EMA 20, ATR 10, 2).

    Args:
        period: Bars of the EMA.
        atr_period: Bars of the average true range.
        multiplier: Width to each side, in average true ranges.

    Example:
        >>> from shared.indicators import KeltnerChannels
        >>> KeltnerChannels(2, 1, 1.0).calculate([2.0, 3.0], [1.0, 2.0], [1.0, 3.0]).upper
        array([nan,  4.])
    """

    group: ClassVar[str] = "volatility"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("upper", "middle", "lower")
    result: ClassVar[Any] = KeltnerChannelsResult

    def __init__(self, period: int = 20, atr_period: int = 10, multiplier: float = 2.0) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.atr_period: int = whole("atr_period", atr_period)
        self.multiplier: float = number("multiplier", multiplier)

    def formula(self, high: Expr, low: Expr, close: Expr) -> tuple[Expr, ...]:
        """Return the average and the bands."""
        middle = ema(close, self.period)
        width = rma(true_range(high, low, close), self.atr_period) * self.multiplier
        return middle + width, middle, middle - width
