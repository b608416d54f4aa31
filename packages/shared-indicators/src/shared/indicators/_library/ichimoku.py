"""Ichimoku Kinko Hyo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.core.checks import whole

from .._base.types import FloatArray
from .._formula.words import highest, lag, lowest
from .._indicator import Multiple

if TYPE_CHECKING:
    from .._formula.expr import Expr

T = TypeVar("T")


class IchimokuResult(NamedTuple, Generic[T]):
    """The lines of `Ichimoku`."""

    conversion: T
    base: T
    span_a: T
    span_b: T
    lagging: T


class Ichimoku(Multiple[IchimokuResult[Any], IchimokuResult[float], IchimokuResult[FloatArray]]):
    """Ichimoku Kinko Hyo: conversion, base, the cloud and the lagging line.

    The cloud (span_a, span_b) is shown where it is drawn, `base` bars after it was known. The
    lagging line is the close; charts draw it `base` bars earlier, which no value here does:
    nothing looks ahead. All lines start with span_b.

    Source: Goichi Hosoda (1969); StockCharts, Ichimoku Cloud.

    Args:
        conversion: Bars of the conversion line.
        base: Bars of the base line, and how far the cloud is shifted.
        span: Bars of the slow side of the cloud.

    Example:
        >>> from shared.indicators import Ichimoku
        >>> Ichimoku(1, 1, 2).calculate([2.0, 3.0, 5.0], [1.0, 2.0, 4.0], [2.0, 2.0, 5.0]).span_a
        array([nan, nan, 2.5])
    """

    group: ClassVar[str] = "trend"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("conversion", "base", "span_a", "span_b", "lagging")
    result: ClassVar[Any] = IchimokuResult

    def __init__(self, conversion: int = 9, base: int = 26, span: int = 52) -> None:
        super().__init__()
        self.conversion: int = whole("conversion", conversion)
        self.base: int = whole("base", base)
        self.span: int = whole("span", span)

    def formula(self, high: Expr, low: Expr, close: Expr) -> tuple[Expr, ...]:
        """Return the middles of ranges."""

        def middle(period: int) -> Expr:
            return (highest(high, period) + lowest(low, period)) / 2.0

        conversion, base = middle(self.conversion), middle(self.base)
        span_a = lag((conversion + base) / 2.0, self.base)
        return conversion, base, span_a, lag(middle(self.span), self.base), close
