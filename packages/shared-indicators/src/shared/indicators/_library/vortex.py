"""Vortex indicator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import whole

from .._base.types import FloatArray
from .._formula.words import lag, ratio, size, total, true_range
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class VortexResult(NamedTuple, Generic[T]):
    """The lines of `Vortex`."""

    plus: T
    minus: T


class Vortex(Multiple[VortexResult[Any], VortexResult[float], VortexResult[FloatArray]]):
    """Vortex indicator: upward and downward movement over the true range of the window.

    0 where the window has no range.

    Source: Etienne Botes and Douglas Siepman, Technical Analysis of Stocks & Commodities
    (2010).

    Args:
        period: Bars of the window.

    Example:
        >>> from shared.indicators import Vortex
        >>> Vortex(1).calculate([2.0, 3.0], [1.0, 2.0], [1.0, 3.0]).plus
        array([nan,  1.])
    """

    group: ClassVar[str] = "trend"
    outputs: ClassVar[tuple[str, ...]] = ("plus", "minus")
    result: ClassVar[Any] = VortexResult

    def __init__(self, period: int = 14) -> None:
        super().__init__()
        self.period: int = whole("period", period)

    def formula(self, high: Expr, low: Expr, close: Expr) -> tuple[Expr, ...]:
        """Divide both movements by the true range."""
        span = total(true_range(high, low, close), self.period)
        plus = total(size(high - lag(low)), self.period)
        minus = total(size(low - lag(high)), self.period)
        return ratio(plus, span, 0.0), ratio(minus, span, 0.0)
