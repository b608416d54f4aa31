"""Standard deviations and the bands they make."""

from __future__ import annotations

from typing import Any

from .jit import blank, compiled, tiles
from .vectors import add, load, store, sub
from .windows import ROOTED, variance_run


@compiled
def _around(means: Any, upper: Any, widths: Any) -> None:
    """Write the upper bands, and the lower ones in place of the widths."""
    n = means.size
    for i in range(0, n - 7, 8):
        middle, away = load(means, i), load(widths, i)
        store(upper, i, add(middle, away))
        store(widths, i, sub(middle, away))
    for i in range(n // 8 * 8, n):
        upper[i] = means[i] + widths[i]
        widths[i] = means[i] - widths[i]


@compiled
def _bollinger(
    x: Any, period: int, width: float, upper: Any, middle: Any, lower: Any, fine: Any, t: Any
) -> None:
    tile, bars = t.shape[1] - period + 1, x.shape[1]
    for r in range(x.shape[0]):
        a, b, c = upper[r], middle[r], lower[r]
        blank(a, period - 1)
        blank(b, period - 1)
        blank(c, period - 1)
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            window = x[r, start : stop + period - 1]
            first, last = start + period - 1, stop + period - 1
            up, mid, low = a[first:last], b[first:last], c[first:last]
            if not variance_run(window, period, ROOTED, width, mid, low, t):
                fine[r] = False
                break
            _around(mid, up, low)


@compiled
def _stddev(x: Any, period: int, width: float, out: Any, fine: Any, t: Any) -> None:
    tile, bars = t.shape[1] - period + 1, x.shape[1]
    for r in range(x.shape[0]):
        row = out[r]
        blank(row, period - 1)
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            part = row[start + period - 1 : stop + period - 1]
            window, means = x[r, start : stop + period - 1], t[5, : stop - start]
            if not variance_run(window, period, ROOTED, width, means, part, t):
                fine[r] = False
                break


def _run_bollinger(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _bollinger(*inputs, *given, *outputs, fine, tiles(given[0] - 1, 5))


def _run_stddev(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _stddev(*inputs, *given, *outputs, fine, tiles(given[0] - 1, 6))


LOOPS = {
    "BollingerBands": _run_bollinger,
    "StdDev": _run_stddev,
}
