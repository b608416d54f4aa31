"""How long ago the extremes of a window were."""

from __future__ import annotations

from typing import Any

from .jit import blank, compiled, finite_run, tiles
from .vectors import load, mul, splat, store, sub, where_more
from .windows import HIGHEST, LOWEST


@compiled
def _join(run: Any, places: Any, length: int, top: bool, to: Any, to_places: Any) -> None:
    """Join the extremes and places of runs with those `length` later; of equals, the newer."""
    n = to.size
    for i in range(0, n - 7, 8):
        a, b = load(run, i), load(run, i + length)
        x, y = (a, b) if top else (b, a)
        store(to, i, where_more(x, y, a, b))
        store(to_places, i, where_more(x, y, load(places, i), load(places, i + length)))
    for i in range(n // 8 * 8, n):
        one, two = run[i], run[i + length]
        stays = one > two if top else one < two
        to[i] = one if stays else two
        to_places[i] = places[i] if stays else places[i + length]


@compiled
def _freshness(row: Any, period: int, top: bool, scale: float, out: Any, t: Any) -> None:
    """Return the bars from the start of each window to its extreme, times `scale`; `t[0]` counts from zero."""
    width = row.size
    run, places = row, t[0]
    to, to_places, other, other_places = t[1], t[2], t[3], t[4]
    length = 1
    while 2 * length < period:
        width -= length
        _join(run, places, length, top, to[:width], to_places[:width])
        run, places = to, to_places
        to, to_places, other, other_places = other, other_places, to, to_places
        length *= 2
    n = out.size
    _join(run, places, period - length, top, to[:n], to_places[:n])
    for i in range(0, n - 7, 8):
        store(out, i, mul(sub(load(to_places, i), load(t[0], i)), splat(scale)))
    for i in range(n // 8 * 8, n):
        out[i] = (to_places[i] - i) * scale


@compiled
def _aroon(high: Any, low: Any, period: int, up: Any, down: Any, fine: Any, t: Any) -> None:
    bars, tile, scale = high.shape[1], t.shape[1] - period, 100.0 / period
    for i in range(t.shape[1]):
        t[0, i] = i
    for r in range(high.shape[0]):
        blank(up[r], period)
        blank(down[r], period)
        for start in range(period, bars, tile):
            stop = min(start + tile, bars)
            hi, lo = high[r, start - period : stop], low[r, start - period : stop]
            if not (finite_run(hi) and finite_run(lo)):
                fine[r] = False
                break
            _freshness(hi, period + 1, HIGHEST, scale, up[r, start:stop], t)
            _freshness(lo, period + 1, LOWEST, scale, down[r, start:stop], t)


def _run_aroon(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _aroon(*inputs, given[0], *outputs, fine, tiles(given[0], 5))


LOOPS = {
    "Aroon": _run_aroon,
}
