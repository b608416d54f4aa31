"""Turning points, and what is drawn through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .._base.types import FloatArray


class Pivot(NamedTuple):
    """A bar that is higher (or lower) than its neighbours, and when that was known."""

    bar: int
    known: int
    price: float
    high: bool
    prominence: float


def pivots(high: FloatArray, low: FloatArray, left: int, right: int) -> list[Pivot]:
    """Return the highs above the `left` bars before and not below the `right` bars after them; lows likewise."""
    found = []
    for top, prices in ((True, high), (False, -low)):
        if len(prices) <= left + right:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(prices, left + right + 1)
        middle = windows[:, left]
        before, after = windows[:, :left], windows[:, left + 1 :]
        turns = (middle > before.max(axis=1)) & (middle >= after.max(axis=1))
        rise = middle - before.min(axis=1)
        fall = middle - after.min(axis=1)
        scale = (high - low)[left : left + len(middle)] + np.maximum(rise, fall)
        prominence = np.minimum(rise, fall) / scale
        for i in np.flatnonzero(turns).tolist():
            bar = i + left
            price = float(high[bar] if top else low[bar])
            clear = float(prominence[i]) if prominence[i] > 0.0 else 0.0
            found.append(Pivot(bar, bar + right, price, top, clear))
    return sorted(found, key=lambda pivot: (pivot.bar, not pivot.high))


def alternating(found: list[Pivot]) -> list[list[Pivot]]:
    """Return, for every pivot, the turns that lead to it: of neighbouring highs (lows) only the extreme counts.

    What leads to a pivot is decided by pivots before it alone.
    """
    line: list[Pivot] = []
    lines = []
    for pivot in found:
        if line and line[-1].high == pivot.high:
            better = pivot.price > line[-1].price if pivot.high else pivot.price < line[-1].price
            if not better:
                continue
            line = line[:-1]
        line = [*line, pivot][-8:]
        lines.append(line)
    return lines


def crossing(
    close: FloatArray, after: int, last: int, level: FloatArray, ceiling: float, tops: FloatArray
) -> int | None:
    """Return the first bar in after+1 .. last that closes below the level, unless a top goes above first."""
    span = slice(after + 1, last + 1)
    below = np.flatnonzero(close[span] < level[span])
    if not len(below):
        return None
    above = np.flatnonzero(tops[span] > ceiling)
    if len(above) and above[0] <= below[0]:
        return None
    return after + 1 + int(below[0])
