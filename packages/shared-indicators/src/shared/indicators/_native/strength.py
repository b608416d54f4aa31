"""Relative strength."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import TILE, compiled, finite_run
from .scans import powers, scan_run


@compiled
def _rsi(x: Any, period: int, flat: float, fade: Any, out: Any, fine: Any) -> None:
    bars = x.shape[1]
    keep, gain = (period - 1) / period, 1.0 / period
    up, down = np.empty(TILE), np.empty(TILE)
    ups, downs = np.empty(TILE), np.empty(TILE)
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        to[:period] = np.nan
        fine[r] = finite_run(row[: period + 1])
        u = d = 0.0
        for i in range(1, period + 1):
            move = row[i] - row[i - 1]
            u += max(move, 0.0)
            d += max(-move, 0.0)
        u, d = u / period, d / period
        to[period] = 100.0 * (u / (u + d)) if u + d != 0.0 else flat
        for start in range(period + 1, bars, TILE):
            m = min(TILE, bars - start)
            now, before = row[start : start + m], row[start - 1 : start - 1 + m]
            if not finite_run(now):
                fine[r] = False
                break
            for i in range(m):
                move = now[i] - before[i]
                up[i] = max(0.0, move)
                down[i] = 0.0 if move > 0.0 else -move
            u = scan_run(up[:m], keep, gain, u, fade, ups[:m])
            d = scan_run(down[:m], keep, gain, d, fade, downs[:m])
            part = to[start : start + m]
            for i in range(m):
                way = ups[i] + downs[i]
                share = ups[i] / way
                part[i] = 100.0 * share if way != 0.0 else flat


def _run_rsi(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _rsi(*inputs, *given, powers((given[0] - 1) / given[0]), *outputs, fine)


LOOPS = {
    "RSI": _run_rsi,
}
