"""Percentiles with linear interpolation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from shared.core.checks import refuse

from .._data.columns import read_values
from .._legacy import renamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._time.types import Float64s


@overload
def calculate_percentile(values: Any, q: float) -> float: ...
@overload
def calculate_percentile(values: Any, q: Sequence[float]) -> Float64s: ...
@renamed(percentile="q")
def calculate_percentile(values: Any, q: float | Sequence[float]) -> float | Float64s:
    """Find the value below which a percentage lies, interpolated linearly; NaN is left out.

    Args:
        values: Numbers in any order.
        q: Percentage from 0 to 100, or several.

    Returns:
        A float, or an array for several.

    Raises:
        ValueError: `q` is outside 0 to 100, or there are no values.

    Example:
        >>> round(calculate_percentile(range(1, 21), 95), 9)
        19.05
    """
    shares = np.asarray(q, dtype=np.float64)
    if not np.all((shares >= 0) & (shares <= 100)):
        raise refuse("q", "from 0 to 100", q)
    numbers = read_values(values, "values")
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        raise ValueError("values must hold at least one number, which a percentile needs")
    found = np.percentile(numbers, shares)
    return float(found) if shares.ndim == 0 else found
