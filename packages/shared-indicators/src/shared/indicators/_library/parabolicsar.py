"""Parabolic stop and reverse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import number

from .._formula.words import machine, pick
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class ParabolicSAR(Single):
    """Parabolic stop and reverse: a stop that moves faster the longer the trend goes.

    The second bar decides the first direction.

    Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978); equal to TA-Lib
    SAR.

    Args:
        step: The acceleration at the start, and what each new extreme adds.
        maximum: The largest acceleration.

    Example:
        >>> from shared.indicators import ParabolicSAR
        >>> ParabolicSAR().calculate([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
        array([ nan, 1.  , 1.04])
    """

    group: ClassVar[str] = "trend"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("sar",)

    def __init__(self, step: float = 0.02, maximum: float = 0.2) -> None:
        super().__init__()
        self.step: float = number("step", step, least=0)
        self.maximum: float = number("maximum", maximum, least=0)

    def formula(self, high: Expr, low: Expr) -> Expr:
        """Return the stop."""
        return pick(
            machine("parabolic", (high, low, low), min(self.step, self.maximum), self.maximum), 0
        )
