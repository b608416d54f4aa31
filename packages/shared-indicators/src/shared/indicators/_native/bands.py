"""Standard deviations and the bands they make."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import blank, compiled, finite_run, tiles
from .windows import total_run, variance_run


@compiled
def _bollinger(
    x: Any, period: int, width: float, upper: Any, middle: Any, lower: Any, fine: Any, t: Any
) -> None:
    tile, bars, share = t.shape[1] - period + 1, x.shape[1], 1.0 / period
    for r in range(x.shape[0]):
        a, b, c = upper[r], middle[r], lower[r]
        blank(a, period - 1)
        blank(b, period - 1)
        blank(c, period - 1)
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            window = x[r, start : stop + period - 1]
            if not finite_run(window):
                fine[r] = False
                break
            first, last = start + period - 1, stop + period - 1
            up, mid, low = a[first:last], b[first:last], c[first:last]
            total_run(window, period, mid, t[0], t[1])
            variance_run(window, period, low, t)
            for i in range(mid.size):
                mid[i] *= share
                away = width * np.sqrt(low[i])
                up[i] = mid[i] + away
                low[i] = mid[i] - away


@compiled
def _stddev(x: Any, period: int, width: float, out: Any, fine: Any, t: Any) -> None:
    tile, bars = t.shape[1] - period + 1, x.shape[1]
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
            variance_run(window, period, part, t)
            for i in range(part.size):
                part[i] = width * np.sqrt(part[i])


def _run_bollinger(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _bollinger(*inputs, *given, *outputs, fine, tiles(given[0] - 1, 5))


def _run_stddev(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _stddev(*inputs, *given, *outputs, fine, tiles(given[0] - 1, 5))


LOOPS = {
    "BollingerBands": _run_bollinger,
    "StdDev": _run_stddev,
}
