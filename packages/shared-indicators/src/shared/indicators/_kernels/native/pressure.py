"""Buying pressure: how far the close lies above the true low."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import TILE, blank, compiled, put_rest, tiles
from .vectors import (
    add,
    div,
    fma,
    larger,
    load,
    mul,
    smaller,
    splat,
    store,
    sub,
    summed,
    where_zero,
)
from .windows import total_run


@compiled
def _pressures(high: Any, low: Any, now: Any, before: Any, bought: Any, spans: Any) -> Any:
    """Write pressures and true ranges; return whether all are finite."""
    n, bad = bought.size, splat(0.0)
    for i in range(0, n - 7, 8):
        hi, lo, c, old = load(high, i), load(low, i), load(now, i), load(before, i)
        floor = smaller(lo, old)
        store(bought, i, sub(c, floor))
        store(spans, i, sub(larger(hi, old), floor))
        bad = fma(add(add(hi, lo), c), splat(0.0), bad)
    rest = summed(bad)
    for i in range(n // 8 * 8, n):
        floor_one = min(low[i], before[i])
        bought[i] = now[i] - floor_one
        spans[i] = max(high[i], before[i]) - floor_one
        rest += (high[i] + low[i] + now[i]) * 0.0
    return rest == 0.0


@compiled
def _sums(parts: Any, period: int, shorter: int, halves: Any, to: Any, one: Any, two: Any) -> None:
    """Write sums of windows; those of twice as many values as `halves` are two of these."""
    if period == 2 * shorter:
        n = to.size
        older, newer = halves[:n], halves[shorter : shorter + n]
        for i in range(n):
            to[i] = older[i] + newer[i]
    else:
        total_run(parts, period, to, one, two)


@compiled
def _share(sums: Any, spans: Any, i: int, weight: float) -> Any:
    whole, zero = load(spans, i), splat(0.0)
    return where_zero(whole, zero, mul(div(load(sums, i), whole), splat(weight)))


@compiled
def _weigh(sums: Any, spans: Any, starts: Any, out: Any) -> None:
    """Write the weighted shares of the windows of three lengths, from where each starts."""
    a, b, c = starts[0], starts[1], starts[2]
    for i in range(0, out.size, 8):
        short = _share(sums[0], spans[0], i + a, 400.0 / 7.0)
        medium = _share(sums[1], spans[1], i + b, 200.0 / 7.0)
        long = _share(sums[2], spans[2], i + c, 100.0 / 7.0)
        store(out, i, add(add(short, medium), long))


@compiled
def _ultimate(
    high: Any, low: Any, close: Any, periods: Any, longest: int, out: Any, fine: Any, t: Any
) -> None:
    bars, tile = high.shape[1], t.shape[1] - longest + 1
    found = np.empty(8)
    for r in range(high.shape[0]):
        blank(out[r], longest)
        fine[r] = (high[r, 0] + low[r, 0] + close[r, 0]) * 0.0 == 0.0
        for start in range(longest, bars, tile):
            stop = min(start + tile, bars)
            first, m = start - longest + 1, stop - start
            # All windows are of these bars; the last ones of each length are the wanted ones.
            n = stop - first
            hi, lo, c = high[r, first:stop], low[r, first:stop], close[r, first:stop]
            bought, spans = t[0, :n], t[1, :n]
            if not _pressures(hi, lo, c, close[r, first - 1 : stop - 1], bought, spans):
                fine[r] = False
                break
            shorter, halves, half_spans = 0, bought, spans
            for k in range(3):
                period, width = periods[k], n - periods[k] + 1
                sums, other = t[4 + k, :width], t[7 + k, :width]
                _sums(bought, period, shorter, halves, sums, t[2], t[3])
                _sums(spans, period, shorter, half_spans, other, t[2], t[3])
                shorter, halves, half_spans = period, sums, other
            whole, starts = m - m % 8, longest - periods
            _weigh(t[4:7], t[7:10], starts, out[r, start : start + whole])
            if whole < m:
                _weigh(t[4:7], t[7:10], starts + whole, found)
                put_rest(found, start + whole, out[r])


def _run_ultimate(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    longest = max(given)
    _ultimate(*inputs, np.array(given), longest, *outputs, fine, tiles(longest - 1, 10, 2 * TILE))


LOOPS = {
    "UltimateOscillator": _run_ultimate,
}
