"""Ultimate oscillator."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import whole

from .._formula.words import lag, minimum, ratio, total, true_range
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class UltimateOscillator(Single):
    """Ultimate oscillator: buying pressure over three windows, weighted 4, 2 and 1, 0 to 100.

    A window without range counts as 0.

    Source: Larry Williams, Technical Analysis of Stocks & Commodities (1985); equal to TA-Lib
    ULTOSC.

    Args:
        short: Bars of the window that weighs 4.
        medium: Bars of the window that weighs 2.
        long: Bars of the window that weighs 1.

    Example:
        >>> from shared.indicators import UltimateOscillator
        >>> UltimateOscillator(1, 2, 3).calculate(
        ...     [2.0, 3.0, 4.0, 4.0], [1.0, 2.0, 2.0, 3.0], [2.0, 2.0, 3.0, 4.0]
        ... ).round(3)
        array([   nan,    nan,    nan, 83.333])
    """

    group: ClassVar[str] = "momentum"
    outputs: ClassVar[tuple[str, ...]] = ("ultimate_oscillator",)

    def __init__(self, short: int = 7, medium: int = 14, long: int = 28) -> None:
        super().__init__()
        self.short: int = whole("short", short)
        self.medium: int = whole("medium", medium)
        self.long: int = whole("long", long)

    def formula(self, high: Expr, low: Expr, close: Expr) -> Expr:
        """Divide buying pressure by true range, in three windows."""
        pressure = close - minimum(low, lag(close))
        span = true_range(high, low, close)

        def share(period: int) -> Expr:
            return ratio(total(pressure, period), total(span, period), 0.0)

        weighed = share(self.short) * 4.0 + share(self.medium) * 2.0 + share(self.long)
        return weighed * (100.0 / 7.0)
