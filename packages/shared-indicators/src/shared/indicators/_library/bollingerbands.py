"""Bollinger bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import number, whole

from .._base.types import FloatArray
from .._formula.words import mean, root, variance
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class BollingerBandsResult(NamedTuple, Generic[T]):
    """The lines of `BollingerBands`."""

    upper: T
    middle: T
    lower: T


class BollingerBands(
    Multiple[
        BollingerBandsResult[Any], BollingerBandsResult[float], BollingerBandsResult[FloatArray]
    ]
):
    """Bollinger bands: a simple average and `std_dev` standard deviations to both sides.

    Source: John Bollinger; equal to TA-Lib BBANDS: population deviation (ddof 0).

    Args:
        period: Bars of the window.
        std_dev: Width to each side, in standard deviations.

    Example:
        >>> from shared.indicators import BollingerBands
        >>> BollingerBands(2, 1.0).calculate([1.0, 3.0, 3.0]).upper
        array([nan,  3.,  3.])
    """

    group: ClassVar[str] = "volatility"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("upper", "middle", "lower")
    result: ClassVar[Any] = BollingerBandsResult

    def __init__(self, period: int = 20, std_dev: float = 2.0) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.std_dev: float = number("std_dev", std_dev)

    def formula(self, close: Expr) -> tuple[Expr, ...]:
        """Return the mean and the bands."""
        middle = mean(close, self.period)
        width = root(variance(close, self.period)) * self.std_dev
        return middle + width, middle, middle - width
