"""Plain and exponential averages."""

from __future__ import annotations

from typing import Any

from .jit import blank, compiled, tiles
from .scans import powers, scan_run
from .windows import divided_run, total_run


@compiled
def _sma(x: Any, period: int, out: Any, fine: Any, one: Any, two: Any) -> None:
    tile, bars = one.size - period + 1, x.shape[1]
    for r in range(x.shape[0]):
        row, bad = out[r], 0.0
        blank(row, period - 1)
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            part = row[start + period - 1 : stop + period - 1]
            total_run(x[r, start : stop + period - 1], period, part, one, two)
            bad += divided_run(part, period)
        # What is not finite stays in the sums.
        fine[r] = bad == 0.0


@compiled
def _ema(x: Any, keep: float, gain: float, period: int, fade: Any, out: Any, fine: Any) -> None:
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        blank(to, period - 1)
        y = 0.0
        for i in range(period):
            y += row[i]
        y = y / period
        to[period - 1] = y
        y = scan_run(row[period:], keep, gain, y, fade, to[period:])
        # What is not finite stays in the average.
        fine[r] = y - y == 0.0


def _run_sma(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _sma(*inputs, given[0], *outputs, fine, *tiles(given[0] - 1, 2))


def _run_ema(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    gain = 2.0 / (given[0] + 1)
    _ema(*inputs, 1.0 - gain, gain, given[0], powers(1.0 - gain), *outputs, fine)


def _run_rma(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _ema(*inputs, keep, 1.0 / given[0], given[0], powers(keep), *outputs, fine)


LOOPS = {
    "EMA": _run_ema,
    "RMA": _run_rma,
    "SMA": _run_sma,
}
