"""Highest and lowest values, and where a price lies between them."""

from __future__ import annotations

from typing import Any

from .jit import blank, compiled, finite_run, tiles
from .windows import HIGHEST, LOWEST, divided_run, extreme_run, total_run


@compiled
def _extreme(x: Any, period: int, top: bool, out: Any, fine: Any, one: Any, two: Any) -> None:
    tile, bars = one.size - period + 1, x.shape[1]
    for r in range(x.shape[0]):
        row = out[r]
        blank(row, period - 1)
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            window = x[r, start : stop + period - 1]
            if not finite_run(window):
                fine[r] = False
                break
            part = row[start + period - 1 : stop + period - 1]
            extreme_run(window, period, top, part, one, two)


@compiled
def _williams(high: Any, low: Any, close: Any, period: int, out: Any, fine: Any, t: Any) -> None:
    bars, lookback = high.shape[1], period - 1
    tile = t.shape[1] - lookback
    for r in range(high.shape[0]):
        blank(out[r], lookback)
        fine[r] = finite_run(close[r, :lookback])
        for start in range(0, bars - lookback, tile):
            end = min(start + tile, bars - lookback) + lookback
            hi, lo, now = high[r, start:end], low[r, start:end], close[r, start + lookback : end]
            if not (finite_run(hi) and finite_run(lo) and finite_run(now)):
                fine[r] = False
                break
            n = now.size
            top, part = t[2, :n], out[r, start + lookback : end]
            extreme_run(hi, period, HIGHEST, top, t[0], t[1])
            extreme_run(lo, period, LOWEST, part, t[0], t[1])
            for i in range(n):
                span = top[i] - part[i]
                share = (top[i] - now[i]) / span
                part[i] = -100.0 * share if span != 0.0 else 0.0


@compiled
def _stochastic(
    high: Any, low: Any, close: Any, k: int, slowing: int, d: int, slow: Any, signal: Any,
    fine: Any, t: Any,
) -> None:  # fmt: skip
    bars = high.shape[1]
    lookback = k + slowing + d - 3
    tile = t.shape[1] - lookback
    for r in range(high.shape[0]):
        blank(slow[r], lookback)
        blank(signal[r], lookback)
        for start in range(0, bars - lookback, tile):
            stop = min(start + tile, bars - lookback)
            # All windows start at `start`; those of the later averages are shorter.
            end = stop + lookback
            hi, lo, c = high[r, start:end], low[r, start:end], close[r, start + k - 1 : end]
            if not (finite_run(hi) and finite_run(lo) and finite_run(close[r, start:end])):
                fine[r] = False
                break
            n = c.size
            top, floor = t[2, :n], t[3, :n]
            extreme_run(hi, k, HIGHEST, top, t[0], t[1])
            extreme_run(lo, k, LOWEST, floor, t[0], t[1])
            for i in range(n):
                span = top[i] - floor[i]
                share = 100.0 * ((c[i] - floor[i]) / span)
                top[i] = share if span != 0.0 else 0.0
            n -= slowing - 1
            total_run(top, slowing, floor[:n], t[0], t[1])
            divided_run(floor[:n], slowing)
            m = stop - start
            part = signal[r, start + lookback : end]
            total_run(floor[:n], d, part, t[0], t[1])
            shown = slow[r, start + lookback : end]
            divided_run(part, d)
            for i in range(m):
                shown[i] = floor[i + d - 1]


def _run_max(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _extreme(*inputs, given[0], HIGHEST, *outputs, fine, *tiles(given[0] - 1, 2))


def _run_min(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _extreme(*inputs, given[0], LOWEST, *outputs, fine, *tiles(given[0] - 1, 2))


def _run_williams(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _williams(*inputs, given[0], *outputs, fine, tiles(given[0] - 1, 3))


def _run_stochastic(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _stochastic(*inputs, *given, *outputs, fine, tiles(sum(given) - 3, 4))


LOOPS = {
    "Max": _run_max,
    "Min": _run_min,
    "Stochastic": _run_stochastic,
    "WilliamsR": _run_williams,
}
