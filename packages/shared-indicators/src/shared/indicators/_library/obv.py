"""On balance volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._formula.words import rises, running_total
from .._indicator import Single

if TYPE_CHECKING:
    from .._formula.expr import Expr


class OBV(Single):
    """On balance volume: the running sum of volume, added in rising bars and taken off in falling ones.

    Starts at the first volume.

    Source: Joseph Granville, New Key to Stock Market Profits (1963); equal to TA-Lib OBV.

    Example:
        >>> from shared.indicators import OBV
        >>> OBV().calculate([1.0, 2.0, 2.0, 1.0], [5.0, 1.0, 1.0, 2.0])
        array([5., 6., 6., 4.])
    """

    group: ClassVar[str] = "volume"
    outputs: ClassVar[tuple[str, ...]] = ("obv",)

    def formula(self, close: Expr, volume: Expr) -> Expr:
        """Return the running sum of signed volume."""
        return running_total(rises(close) * volume)
