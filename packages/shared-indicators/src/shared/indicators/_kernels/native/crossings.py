"""Differences of exponential averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import blank, compiled, put_rest, take_rest
from .scans import average_eight, powers
from .vectors import load, store, sub


@compiled
def _macd_eights(
    x: Any, gains: Any, fades: Any, averages: Any, line: Any, signal: Any, away: Any
) -> Any:
    """Continue from the fast and slow averages and the signal; return what they are at the end."""
    p, q, s = averages
    for i in range(0, line.size, 8):
        price = load(x, i)
        quick, p = average_eight(price, gains[0], fades[0], p)
        calm, q = average_eight(price, gains[1], fades[1], q)
        between = sub(quick, calm)
        mean, s = average_eight(between, gains[2], fades[2], s)
        store(line, i, between)
        store(signal, i, mean)
        store(away, i, sub(between, mean))
    return p, q, s


@compiled
def _seeds(row: Any, fast: int, slow: int, signal: int, gains: Any) -> Any:
    """Return the three averages at the bar where the signal is seeded."""
    p = q = s = 0.0
    for i in range(slow):
        q += row[i]
    for i in range(slow - fast, slow):
        p += row[i]
    p, q = p / fast, q / slow
    s = p - q
    for i in range(slow, slow + signal - 1):
        p = (1.0 - gains[0]) * p + gains[0] * row[i]
        q = (1.0 - gains[1]) * q + gains[1] * row[i]
        s += p - q
    return p, q, s / signal


@compiled
def _macd(
    x: Any, fast: int, slow: int, signal: int, gains: Any, fades: Any, line: Any, average: Any,
    away: Any, fine: Any,
) -> None:  # fmt: skip
    bars, first = x.shape[1], slow + signal - 2
    a = first + 1
    b = bars - (bars - a) % 8
    rest, found = np.empty(8), np.empty((3, 8))
    for r in range(x.shape[0]):
        row, to, mean, more = x[r], line[r], average[r], away[r]
        blank(to, first)
        blank(mean, first)
        blank(more, first)
        averages = _seeds(row, fast, slow, signal, gains)
        p, q, s = averages
        to[first], mean[first], more[first] = p - q, s, p - q - s
        averages = _macd_eights(row[a:b], gains, fades, averages, to[a:b], mean[a:b], more[a:b])
        if b < bars:
            take_rest(row, b, rest)
            averages = _macd_eights(rest, gains, fades, averages, found[0], found[1], found[2])
            put_rest(found[0], b, to)
            put_rest(found[1], b, mean)
            put_rest(found[2], b, more)
        # What is not finite stays in the averages.
        fine[r] = averages[1] - averages[1] == 0.0


def _run_macd(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    gains = 2.0 / (np.array(given) + 1.0)
    fades = np.array([powers(1.0 - gain) for gain in gains.tolist()])
    _macd(*inputs, *given, gains, fades, *outputs, fine)


LOOPS = {
    "MACD": _run_macd,
}
