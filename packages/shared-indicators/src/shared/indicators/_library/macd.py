"""Moving average convergence divergence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import whole

from .._base.checks import increasing
from .._base.types import FloatArray
from .._formula.words import ema
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class MACDResult(NamedTuple, Generic[T]):
    """The lines of `MACD`."""

    macd: T
    signal: T
    histogram: T


class MACD(Multiple[MACDResult[Any], MACDResult[float], MACDResult[FloatArray]]):
    """Moving average convergence divergence: fast minus slow exponential average.

    Source: Gerald Appel; equal to TA-Lib MACD: both averages are seeded at bar slow - 1, and all lines
    start with the signal.

    Args:
        fast: Bars of the fast average.
        slow: Bars of the slow average.
        signal: Bars of the average of the difference.

    Example:
        >>> from shared.indicators import MACD
        >>> MACD(2, 3, 2).calculate([1.0, 2.0, 4.0, 7.0, 11.0]).histogram.round(3)
        array([  nan,   nan,   nan, 0.167, 0.185])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("macd", "signal", "histogram")
    result: ClassVar[Any] = MACDResult

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        super().__init__()
        self.fast: int = whole("fast", fast)
        self.slow: int = whole("slow", slow)
        self.signal: int = whole("signal", signal)
        increasing(fast=self.fast, slow=self.slow)

    def formula(self, close: Expr) -> tuple[Expr, ...]:
        """Return the difference, its average, and the distance of the two."""
        line = ema(close, self.fast, skip=self.slow - self.fast) - ema(close, self.slow)
        signal = ema(line, self.signal)
        return line, signal, line - signal
