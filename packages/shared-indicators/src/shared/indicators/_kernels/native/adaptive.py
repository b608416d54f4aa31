"""Kaufman's average: how much it follows depends on how straight the price goes."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import blank, compiled, put_rest, take_rest, tiles
from .vectors import (
    chained,
    div,
    fma,
    last,
    load,
    mul,
    size,
    splat,
    store,
    sub,
    where_more,
)
from .windows import total_run


@compiled
def _steps(now: Any, before: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = abs(now[i] - before[i])


@compiled
def _follow_eights(
    now: Any, before: Any, way: Any, calm: float, spread: float, y: float, out: Any
) -> float:
    """Continue from the average so far and return the last one. The price went `way` from `before` to `now`."""
    one = splat(1.0)
    for i in range(0, out.size, 8):
        x, whole = load(now, i), load(way, i)
        moved = size(sub(x, load(before, i)))
        straight = where_more(whole, moved, div(moved, whole), one)
        share = fma(straight, splat(spread), splat(calm))
        share = mul(share, share)
        found = chained(sub(one, share), mul(share, x), y)
        store(out, i, found)
        y = last(found)
    return y


@compiled
def _kama(
    x: Any, period: int, calm: float, spread: float, out: Any, fine: Any, states: Any, t: Any
) -> None:
    bars, tile, rest = x.shape[1], t.shape[1] - period + 1, np.empty((3, 8))
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        blank(to, period)
        y = row[period - 1]
        for i in range(period):
            y += row[i] * 0.0
        for start in range(period, bars, tile):
            stop = min(start + tile, bars)
            m, first = stop - start, start - period
            # The moves of all windows, from the first bar of the first one.
            moves, way = t[0, : m + period - 1], t[1, :m]
            _steps(row[first + 1 : stop], row[first : stop - 1], moves)
            total_run(moves, period, way, t[2], t[3])
            whole = m - m % 8
            now, before, part = row[start:stop], row[first : stop - period], to[start:stop]
            y = _follow_eights(now, before, way, calm, spread, y, part[:whole])
            if whole < m:
                take_rest(now, whole, rest[0])
                take_rest(before, whole, rest[1])
                late = t[1, whole : whole + 8]
                _follow_eights(rest[0], rest[1], late, calm, spread, y, rest[2])
                put_rest(rest[2], whole, part)
        y = to[bars - 1]
        # What is not finite stays in the average.
        fine[r] = y - y == 0.0
        states[r, 0], states[r, 1] = 1.0, y


def _run_kama(given: Any, inputs: Any, outputs: Any, fine: Any) -> Any:
    period, fast, slow = given
    calm, states = 2.0 / (slow + 1), np.empty((len(fine), 2))
    spread = 2.0 / (fast + 1) - calm
    _kama(*inputs, period, calm, spread, *outputs, fine, states, tiles(period - 1, 4))
    return states


LOOPS = {
    "KAMA": _run_kama,
}
