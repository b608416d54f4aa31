"""Buying pressure: how far the close lies above the true low."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import blank, compiled, tiles
from .windows import total_run


@compiled
def _pressures(high: Any, low: Any, now: Any, before: Any, bought: Any, spans: Any) -> bool:
    """Pressures and true ranges; whether all are finite."""
    bad = 0.0
    for i in range(bought.size):
        floor = min(before[i], low[i])
        top = max(before[i], high[i])
        bought[i] = now[i] - floor
        spans[i] = top - floor
        bad += (high[i] + low[i] + now[i]) * 0.0
    return bad == 0.0


@compiled
def _sums(parts: Any, period: int, shorter: int, halves: Any, to: Any, one: Any, two: Any) -> None:
    """Sums of windows; of twice as many values as those of `halves`, they are two of these."""
    if period == 2 * shorter:
        n = to.size
        older, newer = halves[:n], halves[shorter : shorter + n]
        for i in range(n):
            to[i] = older[i] + newer[i]
    else:
        total_run(parts, period, to, one, two)


@compiled
def _weigh(bought: Any, spans: Any, weight: float, out: Any) -> None:
    for i in range(out.size):
        share = bought[i] / spans[i]
        out[i] += weight * share if spans[i] != 0.0 else 0.0


@compiled
def _ultimate(
    high: Any, low: Any, close: Any, periods: Any, longest: int, out: Any, fine: Any, t: Any
) -> None:
    bars, tile = high.shape[1], t.shape[1] - longest + 1
    for r in range(high.shape[0]):
        blank(out[r], longest)
        fine[r] = (high[r, 0] + low[r, 0] + close[r, 0]) * 0.0 == 0.0
        for start in range(longest, bars, tile):
            stop = min(start + tile, bars)
            first = start - longest + 1
            # All windows are of these bars; the last ones of each length are those asked for.
            n, part = stop - first, out[r, start:stop]
            hi, lo, c = high[r, first:stop], low[r, first:stop], close[r, first:stop]
            bought, spans = t[0, :n], t[1, :n]
            if not _pressures(hi, lo, c, close[r, first - 1 : stop - 1], bought, spans):
                fine[r] = False
                break
            for i in range(part.size):
                part[i] = 0.0
            shorter = 0
            for k in range(3):
                period, at = periods[k], 2 + 2 * (k % 2)
                to, other, width = t[at], t[at + 1], n - period + 1
                halves, half_spans = t[6 - at], t[7 - at]
                _sums(bought, period, shorter, halves, to[:width], t[6], t[7])
                _sums(spans, period, shorter, half_spans, other[:width], t[6], t[7])
                a, b, weight = width - part.size, width, 100.0 / 7.0 * (4.0 / (1 << k))
                _weigh(to[a:b], other[a:b], weight, part)
                shorter = period


def _run_ultimate(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    longest = max(given)
    _ultimate(*inputs, np.array(given), longest, *outputs, fine, tiles(longest - 1, 8))


LOOPS = {
    "UltimateOscillator": _run_ultimate,
}
