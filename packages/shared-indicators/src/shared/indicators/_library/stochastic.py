"""Slow stochastic oscillator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import whole

from .._base.types import FloatArray
from .._formula.words import highest, lowest, mean, ratio
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class StochasticResult(NamedTuple, Generic[T]):
    """The lines of `Stochastic`."""

    k: T
    d: T


class Stochastic(
    Multiple[StochasticResult[Any], StochasticResult[float], StochasticResult[FloatArray]]
):
    """Slow stochastic oscillator: where the close lies in the range of the window, 0 to 100.

    0 where the window has no range.

    Source: George Lane; equal to TA-Lib STOCH (simple averages).

    Args:
        k: Bars of the window.
        slowing: Bars of the average that makes %K.
        d: Bars of the average of %K that makes %D.

    Example:
        >>> from shared.indicators import Stochastic
        >>> Stochastic(2, 1, 2).calculate([2.0, 3.0, 4.0], [1.0, 2.0, 2.0], [2.0, 2.0, 3.0])
        StochasticResult(k=array([nan, nan, 50.]), d=array([nan, nan, 50.]))
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("k", "d")
    result: ClassVar[Any] = StochasticResult

    def __init__(self, k: int = 5, slowing: int = 3, d: int = 3) -> None:
        super().__init__()
        self.k: int = whole("k", k)
        self.slowing: int = whole("slowing", slowing)
        self.d: int = whole("d", d)

    def formula(self, high: Expr, low: Expr, close: Expr) -> tuple[Expr, ...]:
        """Return %K and %D."""
        floor = lowest(low, self.k)
        raw = ratio(close - floor, highest(high, self.k) - floor, 0.0) * 100.0
        slow = mean(raw, self.slowing)
        return slow, mean(slow, self.d)
