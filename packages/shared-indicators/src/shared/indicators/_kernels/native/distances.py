"""Distances of typical prices from their means."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import blank, compiled, put_rest, tiles
from .vectors import add, div, load, mul, size, splat, store, sub, where_more
from .windows import total_run


@compiled
def _prices(high: Any, low: Any, close: Any, out: Any) -> bool:
    """Write three times the typical prices; return whether all are finite."""
    bad = 0.0
    for i in range(out.size):
        out[i] = high[i] + low[i] + close[i]
        bad += out[i] * 0.0
    return bad == 0.0


@compiled
def _distances(prices: Any, sums: Any, period: int, out: Any) -> None:
    """Write the distance of the last price of each window from its mean, in units of 0.015 mean distances."""
    share, zero = splat(1.0 / period), splat(0.0)
    for i in range(0, out.size, 8):
        mean, spread = mul(load(sums, i), share), zero
        for k in range(i, i + period):
            spread = add(spread, size(sub(load(prices, k), mean)))
        spread = mul(spread, share)
        away = div(sub(load(prices, i + period - 1), mean), mul(spread, splat(0.015)))
        # Rounding alone spreads a constant window a little.
        least = mul(size(mean), splat(1e-14))
        store(out, i, where_more(spread, least, away, zero))


@compiled
def _cci(high: Any, low: Any, close: Any, period: int, out: Any, fine: Any, t: Any) -> None:
    bars, lookback, found = high.shape[1], period - 1, np.empty(8)
    tile = t.shape[1] - lookback
    for r in range(high.shape[0]):
        blank(out[r], lookback)
        for start in range(lookback, bars, tile):
            stop = min(start + tile, bars)
            first, m = start - lookback, stop - start
            prices, sums = t[0, : stop - first], t[1, :m]
            if not _prices(high[r, first:stop], low[r, first:stop], close[r, first:stop], prices):
                fine[r] = False
                break
            total_run(prices, period, sums, t[2], t[3])
            whole = m - m % 8
            _distances(prices, sums, period, out[r, start : start + whole])
            if whole < m:
                # What is beyond the last bar is memory of the tile, and not used.
                _distances(t[0, whole:], t[1, whole:], period, found)
                put_rest(found, start + whole, out[r])


def _run_cci(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _cci(*inputs, given[0], *outputs, fine, tiles(given[0] - 1, 4))


LOOPS = {
    "CCI": _run_cci,
}
