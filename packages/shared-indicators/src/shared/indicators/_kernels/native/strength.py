"""Relative strength."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._base.constants import ROUNDING
from .jit import blank, compiled, put_rest, take_rest, tiles
from .scans import powers
from .vectors import (
    div,
    faded,
    fma,
    fma_one,
    larger,
    last,
    load,
    mul,
    size,
    splat,
    store,
    sub,
    where_zero,
)
from .windows import HIGHEST, LOWEST, divided_run, extreme_run, total_run


@compiled
def _rsi_eights(
    now: Any, before: Any, gain: float, flat: float, u: float, w: float, fade: Any, out: Any
) -> Any:
    """Continue from the averages of rises and of all moves; return what they are at the end."""
    weights, by = load(fade, 0), splat(gain)
    zero, hundred, undefined = splat(0.0), splat(100.0), splat(flat)
    for i in range(0, out.size, 8):
        move = sub(load(now, i), load(before, i))
        rises = faded(mul(larger(zero, move), by), fade[0], fade[1], fade[3])
        moves = faded(mul(size(move), by), fade[0], fade[1], fade[3])
        up, way = fma(splat(u), weights, rises), fma(splat(w), weights, moves)
        u, w = fma_one(u, fade[7], last(rises)), fma_one(w, fade[7], last(moves))
        store(out, i, where_zero(way, undefined, mul(div(up, way), hundred)))
    return u, w


@compiled
def _rsi_seeds(row: Any, period: int) -> Any:
    """Return the averages of rises and of all moves at the first value."""
    u = w = 0.0
    for i in range(1, period + 1):
        move = row[i] - row[i - 1]
        u += max(move, 0.0)
        w += abs(move)
    return u / period, w / period


@compiled
def _rsi(x: Any, period: int, flat: float, fade: Any, out: Any, fine: Any) -> None:
    bars, gain = x.shape[1], 1.0 / period
    whole = bars - (bars - period - 1) % 8
    rest, found = np.empty(9), np.empty(8)
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        blank(to, period)
        u, w = _rsi_seeds(row, period)
        to[period] = 100.0 * (u / w) if w != 0.0 else flat
        first = period + 1
        u, w = _rsi_eights(
            row[first:whole], row[period : whole - 1], gain, flat, u, w, fade, to[first:whole]
        )
        if whole < bars:
            take_rest(row, whole - 1, rest)
            u, w = _rsi_eights(rest[1:], rest[:8], gain, flat, u, w, fade, found)
            put_rest(found, whole, to)
        # What is not finite stays in the averages.
        fine[r] = w - w == 0.0


@compiled
def _places(rsi: Any, k: int, d: int, to: Any, mean: Any, t: Any) -> None:
    """Write where the RSI lies in its range, and the average of that; `to` is a tile's memory."""
    n = to.size
    highest, lowest = t[1, :n], t[2, :n]
    extreme_run(rsi, k, HIGHEST, highest, t[3], t[4])
    extreme_run(rsi, k, LOWEST, lowest, t[3], t[4])
    now = rsi[k - 1 : k - 1 + n]
    for i in range(n):
        span = highest[i] - lowest[i]
        share = (now[i] - lowest[i]) / span * 100.0
        to[i] = share if span > ROUNDING else 0.0
    total_run(to, d, mean, t[3], t[4])
    divided_run(mean, d)


@compiled
def _stochrsi(
    x: Any, period: int, k: int, d: int, fade: Any, fast: Any, slow: Any, fine: Any, t: Any
) -> None:
    bars, gain, over = x.shape[1], 1.0 / period, k + d - 2
    tile = t.shape[1] - over - 16
    rest = np.empty(9)
    for r in range(x.shape[0]):
        row = x[r]
        blank(fast[r], period + over)
        blank(slow[r], period + over)
        u, w = _rsi_seeds(row, period)
        rsi = t[0]
        rsi[0] = 100.0 * (u / w) if w != 0.0 else 50.0
        # RSIs of the bars up to `start`, the last `over` of them from the tile before.
        held, start = 1, period + 1
        while True:
            stop = min(start + tile, bars)
            m = stop - start
            whole = m - m % 8
            a, b = start, start + whole
            u, w = _rsi_eights(
                row[a:b], row[a - 1 : b - 1], gain, 50.0, u, w, fade, rsi[held : held + whole]
            )
            if whole < m:
                take_rest(row, b - 1, rest)
                u, w = _rsi_eights(
                    rest[1:], rest[:8], gain, 50.0, u, w, fade, rsi[held + whole : held + whole + 8]
                )
            held, n = held + m, held + m - over
            if n > 0:
                raw = t[5, : n + d - 1]
                _places(rsi[:held], k, d, raw, slow[r, stop - n : stop], t)
                fast[r, stop - n : stop] = raw[d - 1 :]
                for i in range(over):
                    rsi[i] = rsi[n + i]
                held = over
            if stop == bars:
                break
            start = stop
        # What is not finite stays in the averages.
        fine[r] = w - w == 0.0


def _run_rsi(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _rsi(*inputs, *given, powers((given[0] - 1) / given[0]), *outputs, fine)


def _run_stochrsi(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    period, k, d = given
    t = tiles(k + d + 6, 6)
    _stochrsi(*inputs, *given, powers((period - 1) / period), *outputs, fine, t)


LOOPS = {
    "RSI": _run_rsi,
    "StochRSI": _run_stochrsi,
}
