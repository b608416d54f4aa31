"""True ranges and their averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import TILE, compiled, finite_run
from .scans import powers, scan_run


@compiled
def true_ranges(high: Any, low: Any, before: Any, out: Any) -> None:
    for i in range(out.size):
        top = max(before[i], high[i])
        floor = min(before[i], low[i])
        out[i] = top - floor


@compiled
def _true_range(high: Any, low: Any, close: Any, out: Any, fine: Any) -> None:
    bars = high.shape[1]
    for r in range(high.shape[0]):
        out[r, 0] = np.nan
        fine[r] = finite_run(high[r, :1]) and finite_run(low[r, :1]) and finite_run(close[r, :1])
        for start in range(1, bars, TILE):
            stop = min(start + TILE, bars)
            hi, lo = high[r, start:stop], low[r, start:stop]
            if not (finite_run(hi) and finite_run(lo) and finite_run(close[r, start:stop])):
                fine[r] = False
                break
            true_ranges(hi, lo, close[r, start - 1 : stop - 1], out[r, start:stop])


@compiled
def _atr(
    high: Any, low: Any, close: Any, period: int, relative: bool, fade: Any, out: Any, fine: Any
) -> None:
    bars = high.shape[1]
    keep, gain = (period - 1) / period, 1.0 / period
    span = np.empty(max(TILE, period))
    for r in range(high.shape[0]):
        to, c = out[r], close[r]
        to[:period] = np.nan
        first = slice(1, period + 1)
        fine[r] = (
            finite_run(high[r, : period + 1])
            and finite_run(low[r, : period + 1])
            and finite_run(c[: period + 1])
        )
        true_ranges(high[r, first], low[r, first], c[:period], span[:period])
        y = 0.0
        for i in range(period):
            y += span[i]
        y = y / period
        to[period] = y
        for start in range(period + 1, bars, TILE):
            stop = min(start + TILE, bars)
            m = stop - start
            hi, lo, now = high[r, start:stop], low[r, start:stop], c[start:stop]
            if not (finite_run(hi) and finite_run(lo) and finite_run(now)):
                fine[r] = False
                break
            true_ranges(hi, lo, c[start - 1 : stop - 1], span[:m])
            y = scan_run(span[:m], keep, gain, y, fade, to[start:stop])
        if relative:
            for i in range(period, bars):
                to[i] = 100.0 * (to[i] / c[i]) if c[i] != 0.0 else 0.0


def _run_true_range(_given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _true_range(*inputs, *outputs, fine)


def _run_atr(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _atr(*inputs, given[0], False, powers(keep), *outputs, fine)  # noqa: FBT003


def _run_natr(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _atr(*inputs, given[0], True, powers(keep), *outputs, fine)  # noqa: FBT003


LOOPS = {
    "ATR": _run_atr,
    "NATR": _run_natr,
    "TrueRange": _run_true_range,
}
