"""Standard deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shared.core.checks import number, whole

from .._formula.words import root, variance
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class StdDev(Single):
    """Population standard deviation of the window (ddof 0), times `std_dev`.

    Source: TA-Lib STDDEV, with equal values.

    Args:
        period: Bars of the window.
        std_dev: How many deviations.

    Example:
        >>> from shared.indicators import StdDev
        >>> StdDev(2).calculate([1.0, 3.0, 3.0])
        array([nan,  1.,  0.])
    """

    group: ClassVar[str] = "volatility"
    outputs: ClassVar[tuple[str, ...]] = ("stddev",)

    def __init__(self, period: int = 5, std_dev: float = 1.0) -> None:
        super().__init__()
        self.period: int = whole("period", period)
        self.std_dev: float = number("std_dev", std_dev)

    def formula(self, close: Expr) -> Expr:
        """Return the root of the variance."""
        return root(variance(close, self.period)) * self.std_dev
