"""Average directional index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import whole

from .._base.types import FloatArray
from .._formula.words import directional, ratio, rma, size
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class ADXResult(NamedTuple, Generic[T]):
    """The lines of `ADX`."""

    adx: T
    plus_di: T
    minus_di: T


class ADX(Multiple[ADXResult[Any], ADXResult[float], ADXResult[FloatArray]]):
    """Average directional index with +DI and -DI, 0 to 100.

    All lines start with the ADX, at bar 2 period - 1 (`PlusDI` and `MinusDI` alone start at bar
    `period`). 0 where nothing moved.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); equal to TA-Lib
    ADX, PLUS_DI and MINUS_DI: Wilder's sums start with period - 1 bars.

    Args:
        period: Bars of Wilder's sums and mean.

    Example:
        >>> from shared.indicators import ADX
        >>> ADX(2).calculate(
        ...     [2.0, 3.0, 5.0, 6.0], [1.0, 2.0, 3.0, 5.0], [2.0, 2.0, 4.0, 6.0]
        ... ).plus_di.round(3)
        array([nan, nan, nan, 60.])
    """

    group: ClassVar[str] = "trend"
    outputs: ClassVar[tuple[str, ...]] = ("adx", "plus_di", "minus_di")
    result: ClassVar[Any] = ADXResult

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period, least=2)

    def formula(self, high: Expr, low: Expr, close: Expr) -> tuple[Expr, ...]:
        """Return Wilder's mean of the spread of the directional indicators, and these."""
        plus, minus = directional(high, low, close, self.period)
        spread = ratio(size(plus - minus), plus + minus, 0.0) * 100.0
        return rma(spread, self.period), plus, minus
