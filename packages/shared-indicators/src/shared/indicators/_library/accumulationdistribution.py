"""Accumulation/distribution line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._formula.words import money_flow, running_total
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class AccumulationDistribution(Single):
    """Accumulation/distribution line: the running sum of volume, by where the close lies in the bar.

    A bar without range adds nothing.

    Source: Marc Chaikin; equal to TA-Lib AD.

    Example:
        >>> from shared.indicators import AccumulationDistribution
        >>> AccumulationDistribution().calculate([2.0, 3.0], [1.0, 2.0], [2.0, 2.5], [5.0, 1.0])
        array([5., 5.])
    """

    group: ClassVar[str] = "volume"
    outputs: ClassVar[tuple[str, ...]] = ("ad",)

    def formula(self, high: Expr, low: Expr, close: Expr, volume: Expr) -> Expr:
        """Return the running sum of money flow."""
        return running_total(money_flow(high, low, close, volume))
