"""Directional movement."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import TILE, compiled, finite_run
from .ranges import true_ranges
from .scans import powers, scan_run


@compiled
def _moves(hi: Any, high_1: Any, lo: Any, low_1: Any, plus: Any, minus: Any) -> None:
    for i in range(plus.size):
        up, down = hi[i] - high_1[i], low_1[i] - lo[i]
        plus[i] = up if up > down and up > 0.0 else 0.0
        minus[i] = down if down > up and down > 0.0 else 0.0


@compiled
def _adx(
    high: Any, low: Any, close: Any, period: int, fade: Any, adx: Any, di_up: Any, di_down: Any,
    fine: Any, t: Any,
) -> None:  # fmt: skip
    bars = high.shape[1]
    keep, gain = (period - 1) / period, 1.0 / period
    for r in range(high.shape[0]):
        to, ups, downs = adx[r], di_up[r], di_down[r]
        to[: 2 * period - 1] = np.nan
        span = plus = minus = y = 0.0
        fine[r] = finite_run(high[r, :1]) and finite_run(low[r, :1]) and finite_run(close[r, :1])
        # The first p - 1 bars fill the sums, the next p the mean; from there on a step at a time.
        start = 1
        while start < bars:
            if start < period:
                stop = period
            elif start < 2 * period:
                stop = 2 * period
            else:
                stop = start + TILE
            stop = min(stop, bars, start + TILE)
            m = stop - start
            hi, lo, c = high[r, start:stop], low[r, start:stop], close[r, start:stop]
            high_1, low_1 = high[r, start - 1 : stop - 1], low[r, start - 1 : stop - 1]
            if not (finite_run(hi) and finite_run(lo) and finite_run(c)):
                fine[r] = False
                break
            a, b, s, dx = t[0, :m], t[1, :m], t[2, :m], t[3, :m]
            _moves(hi, high_1, lo, low_1, a, b)
            true_ranges(hi, lo, close[r, start - 1 : stop - 1], s)
            if start < period:
                for i in range(m):
                    span += s[i]
                    plus += a[i]
                    minus += b[i]
                start = stop
                continue
            sums, up, down = t[4, :m], ups[start:stop], downs[start:stop]
            span = scan_run(s, keep, 1.0, span, fade, sums)
            plus = scan_run(a, keep, 1.0, plus, fade, up)
            minus = scan_run(b, keep, 1.0, minus, fade, down)
            for i in range(m):
                unit = 100.0 / sums[i] if sums[i] != 0.0 else 0.0
                both = up[i] + down[i]
                away = 100.0 * abs(up[i] - down[i]) / both
                dx[i] = away if both != 0.0 and sums[i] != 0.0 else 0.0
                up[i] *= unit
                down[i] *= unit
            if start < 2 * period:
                for i in range(m):
                    y += dx[i]
                if stop == 2 * period:
                    y = y / period
                    to[2 * period - 1] = y
            else:
                y = scan_run(dx, keep, gain, y, fade, to[start:stop])
            start = stop
        ups[: 2 * period - 1] = np.nan
        downs[: 2 * period - 1] = np.nan


def _run_adx(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _adx(*inputs, given[0], powers(keep), *outputs, fine, np.empty((5, TILE)))


LOOPS = {
    "ADX": _run_adx,
}
