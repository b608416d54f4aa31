"""The share of rising money in all money that moved."""

from __future__ import annotations

from typing import Any

from .jit import blank, compiled, tiles
from .windows import total_run


@compiled
def _flows(high: Any, low: Any, close: Any, volume: Any, prices: Any, up: Any, down: Any) -> Any:
    """Write the money of rising and of falling bars from three times the typical price; return whether all are finite.

    The inputs start one bar before the outputs.
    """
    for i in range(prices.size):
        prices[i] = high[i] + low[i] + close[i]
    n, bad = up.size, 0.0
    now, before, moved = prices[1:], prices[:n], volume[1:]
    for i in range(n):
        flow, move = now[i] * moved[i], now[i] - before[i]
        # Typical prices that differ by rounding alone are equal.
        limit = now[i] * 1e-15
        up[i] = flow if move > 0.0 and move > limit else 0.0
        down[i] = flow if move < 0.0 and -move > limit else 0.0
        bad += flow * 0.0
    return bad + (before[0] + volume[0]) * 0.0 == 0.0


@compiled
def _mfi(
    high: Any, low: Any, close: Any, volume: Any, period: int, out: Any, fine: Any, t: Any
) -> None:
    bars, tile = high.shape[1], t.shape[1] - period
    for r in range(high.shape[0]):
        blank(out[r], period)
        for start in range(period, bars, tile):
            stop = min(start + tile, bars)
            m, first = stop - start, start - period
            hi, lo = high[r, first:stop], low[r, first:stop]
            c, v = close[r, first:stop], volume[r, first:stop]
            up, down = t[0, : m + period - 1], t[1, : m + period - 1]
            if not _flows(hi, lo, c, v, t[2, : m + period], up, down):
                fine[r] = False
                break
            part, falls = out[r, start:stop], t[4, :m]
            total_run(up, period, part, t[2], t[3])
            total_run(down, period, falls, t[2], t[3])
            for i in range(m):
                both = part[i] + falls[i]
                share = part[i] / both
                part[i] = 100.0 * share if both != 0.0 else 0.0


def _run_mfi(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _mfi(*inputs, given[0], *outputs, fine, tiles(given[0], 5))


LOOPS = {
    "MFI": _run_mfi,
}
