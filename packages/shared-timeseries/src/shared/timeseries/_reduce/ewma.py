"""Exponentially weighted moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import number

from .._data.columns import read_values

if TYPE_CHECKING:
    from .._time.types import Float64s


def ewma(
    values: Any,
    *,
    alpha: float | None = None,
    span: float | None = None,
    halflife: float | None = None,
    com: float | None = None,
    adjust: bool = True,
) -> Float64s:
    """Average with exponential weights; NaN values are skipped but age the rest.

    Args:
        values: Numbers in order of time, or a `TimeSeries`.
        alpha: Weight of the newest value, above 0 and at most 1. Or one of:
        span: Weight 2 / (span + 1).
        halflife: Number of values after which a weight has halved.
        com: Weight 1 / (1 + com).
        adjust: Divide by the weights seen so far; otherwise the first value starts at full
            weight. (The meaning of all these is pandas' `ewm`.)

    Returns:
        As many values as came in.

    Example:
        >>> ewma([1, 2, 3], alpha=0.5, adjust=False).tolist()
        [1.0, 1.5, 2.25]
    """
    weight = _weight(alpha=alpha, span=span, halflife=halflife, com=com)
    out: list[float] = []
    mean, old, keep = float("nan"), 1.0, 1 - weight
    gain = 1.0 if adjust else weight
    for value in read_values(values, "values").tolist():
        if mean == mean:  # noqa: PLR0124 - known
            old *= keep
            if value == value:  # noqa: PLR0124
                mean = (old * mean + gain * value) / (old + gain) if mean != value else mean
                old = old + gain if adjust else 1.0
        elif value == value:  # noqa: PLR0124
            mean = value
        out.append(mean)
    return np.array(out)


# What each must be above, at least and at most.
_LIMITS = {
    "alpha": (0, None, 1),
    "span": (None, 1, None),
    "halflife": (0, None, None),
    "com": (None, 0, None),
}


def _weight(**given: float | None) -> float:
    chosen = {name: value for name, value in given.items() if value is not None}
    if len(chosen) != 1:
        raise ValueError("exactly one of alpha, span, halflife and com must be given")
    name, value = next(iter(chosen.items()))
    above, least, most = _LIMITS[name]
    value = number(name, value, above=above, least=least, most=most)
    if name == "alpha":
        return value
    if name == "span":
        return 2 / (value + 1)
    return 1 / (1 + value) if name == "com" else 1 - float(np.exp(-np.log(2) / value))
