"""Donchian channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import whole

from .._base.types import FloatArray
from .._formula.words import highest, lowest
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class DonchianChannelsResult(NamedTuple, Generic[T]):
    """The lines of `DonchianChannels`."""

    upper: T
    middle: T
    lower: T


class DonchianChannels(
    Multiple[
        DonchianChannelsResult[Any],
        DonchianChannelsResult[float],
        DonchianChannelsResult[FloatArray],
    ]
):
    """Donchian channels: highest high, lowest low and their middle.

    Source: Richard Donchian (1960).

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import DonchianChannels
        >>> DonchianChannels(2).calculate([2.0, 3.0, 2.0], [1.0, 2.0, 0.0]).middle
        array([nan, 2. , 1.5])
    """

    group: ClassVar[str] = "volatility"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("upper", "middle", "lower")
    result: ClassVar[Any] = DonchianChannelsResult

    def __init__(self, period: int = 20) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr) -> tuple[Expr, ...]:
        """Return the range of the window."""
        upper, lower = highest(high, self.period), lowest(low, self.period)
        return upper, (upper + lower) / 2.0, lower
