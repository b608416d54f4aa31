"""Relative strength."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import blank, compiled, put_rest, take_rest
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


@compiled
def _rsi_eights(
    now: Any, before: Any, gain: float, flat: float, u: float, w: float, fade: Any, out: Any
) -> Any:
    """From the averages of rises and of all moves; what they are at the end."""
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
def _rsi(x: Any, period: int, flat: float, fade: Any, out: Any, fine: Any) -> None:
    bars, gain = x.shape[1], 1.0 / period
    whole = bars - (bars - period - 1) % 8
    rest, found = np.empty(9), np.empty(8)
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        blank(to, period)
        u = w = 0.0
        for i in range(1, period + 1):
            move = row[i] - row[i - 1]
            u += max(move, 0.0)
            w += abs(move)
        u, w = u / period, w / period
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


def _run_rsi(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _rsi(*inputs, *given, powers((given[0] - 1) / given[0]), *outputs, fine)


LOOPS = {
    "RSI": _run_rsi,
}
