"""First-order recurrences over one run of values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .jit import compiled

# Bars of one of the eight scans.
_LANE = 64


@lru_cache(maxsize=256)
def powers(keep: float) -> Any:
    return keep ** np.arange(1.0, _LANE + 1)


@compiled
def scan_run(x: Any, keep: float, gain: float, carry: float, fade: Any, out: Any) -> float:
    """Eight scans from zero side by side; then each gets what the ones before it left."""
    n = x.size
    lane = fade.size
    i = 0
    while i + 8 * lane <= n:
        x0, x1 = x[i : i + lane], x[i + lane : i + 2 * lane]
        x2, x3 = x[i + 2 * lane : i + 3 * lane], x[i + 3 * lane : i + 4 * lane]
        x4, x5 = x[i + 4 * lane : i + 5 * lane], x[i + 5 * lane : i + 6 * lane]
        x6, x7 = x[i + 6 * lane : i + 7 * lane], x[i + 7 * lane : i + 8 * lane]
        y0, y1 = out[i : i + lane], out[i + lane : i + 2 * lane]
        y2, y3 = out[i + 2 * lane : i + 3 * lane], out[i + 3 * lane : i + 4 * lane]
        y4, y5 = out[i + 4 * lane : i + 5 * lane], out[i + 5 * lane : i + 6 * lane]
        y6, y7 = out[i + 6 * lane : i + 7 * lane], out[i + 7 * lane : i + 8 * lane]
        a = b = c = d = e = f = g = h = 0.0
        for j in range(lane):
            a = keep * a + x0[j]
            b = keep * b + x1[j]
            c = keep * c + x2[j]
            d = keep * d + x3[j]
            e = keep * e + x4[j]
            f = keep * f + x5[j]
            g = keep * g + x6[j]
            h = keep * h + x7[j]
            y0[j], y1[j], y2[j], y3[j] = a, b, c, d
            y4[j], y5[j], y6[j], y7[j] = e, f, g, h
        for k in range(8):
            y = out[i + k * lane : i + (k + 1) * lane]
            for j in range(lane):
                y[j] = gain * y[j] + fade[j] * carry
            carry = y[lane - 1]
        i += 8 * lane
    while i < n:
        m = min(lane, n - i)
        a = 0.0
        for j in range(m):
            a = keep * a + x[i + j]
            out[i + j] = a
        for j in range(m):
            out[i + j] = gain * out[i + j] + fade[j] * carry
        carry = out[i + m - 1]
        i += m
    return carry
