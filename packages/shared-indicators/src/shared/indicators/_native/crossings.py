"""Differences of exponential averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import TILE, blank, compiled, finite_run
from .scans import powers, scan_run


@compiled
def _macd(
    x: Any, fast: int, slow: int, signal: int, fades: Any, line: Any, average: Any, away: Any,
    fine: Any,
) -> None:  # fmt: skip
    bars, lookback = x.shape[1], slow + signal - 2
    a, b, c = 2.0 / (fast + 1), 2.0 / (slow + 1), 2.0 / (signal + 1)
    quick, calm = np.empty(TILE), np.empty(TILE)
    for r in range(x.shape[0]):
        row = x[r]
        fine[r] = finite_run(row[:slow])
        p = q = s = 0.0
        for i in range(slow):
            q += row[i]
        for i in range(slow - fast, slow):
            p += row[i]
        p, q = p / fast, q / slow
        line[r, slow - 1] = p - q
        # To the last bar of the signal's seed, then a step at a time.
        start = slow
        if signal == 1:
            s = p - q
            average[r, slow - 1] = s
            away[r, slow - 1] = 0.0
        while start < bars:
            stop = lookback + 1 if start <= lookback else start + TILE
            stop = min(stop, bars, start + TILE)
            part, m = row[start:stop], stop - start
            if not finite_run(part):
                fine[r] = False
                break
            p = scan_run(part, 1.0 - a, a, p, fades[0], quick[:m])
            q = scan_run(part, 1.0 - b, b, q, fades[1], calm[:m])
            to = line[r, start:stop]
            for i in range(m):
                to[i] = quick[i] - calm[i]
            if start <= lookback:
                if stop == lookback + 1:
                    for i in range(slow - 1, stop):
                        s += line[r, i]
                    s /= signal
                    average[r, lookback] = s
                    away[r, lookback] = line[r, lookback] - s
            else:
                s = scan_run(to, 1.0 - c, c, s, fades[2], average[r, start:stop])
                mean, rest = average[r, start:stop], away[r, start:stop]
                for i in range(m):
                    rest[i] = to[i] - mean[i]
            start = stop
        blank(line[r], lookback)
        blank(average[r], lookback)
        blank(away[r], lookback)


def _run_macd(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    fades = np.array([powers(1.0 - 2.0 / (period + 1)) for period in given])
    _macd(*inputs, *given, fades, *outputs, fine)


LOOPS = {
    "MACD": _run_macd,
}
