"""Exponential averages of exponential averages: three in one pass over the bars."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .jit import blank, compiled, put_rest, take_rest
from .scans import average_eight, powers
from .vectors import div, fma, late, load, mul, splat, store, sub, where_zero

# What the loop shows.
DOUBLE, TRIPLE, CHANGE = 0, 1, 2


@compiled
def _chain_eights(x: Any, kind: int, gain: float, fade: Any, averages: Any, out: Any) -> Any:
    """Continue from the three averages and return what they are at the end."""
    p, q, s = averages
    one, two, three = splat(1.0), splat(2.0), splat(3.0)
    zero, hundred = splat(0.0), splat(100.0)
    for i in range(0, out.size, 8):
        once, p = average_eight(load(x, i), gain, fade, p)
        twice, q = average_eight(once, gain, fade, q)
        if kind == DOUBLE:
            store(out, i, sub(mul(once, two), twice))
            continue
        before = s
        thrice, s = average_eight(twice, gain, fade, s)
        if kind == TRIPLE:
            store(out, i, fma(sub(once, twice), three, thrice))
        else:
            old = late(thrice, before)
            store(out, i, where_zero(old, zero, mul(sub(div(thrice, old), one), hundred)))
    return p, q, s


@compiled
def _seeds(row: Any, period: int, depth: int, gain: float) -> Any:
    """Return the averages at the bar where the last of `depth` is seeded."""
    n = period - 1
    p = q = s = 0.0
    for i in range(depth * n + 1):
        if i > n:
            p = (1.0 - gain) * p + gain * row[i]
        else:
            p += row[i]
            if i == n:
                p = p / period
        if i > 2 * n:
            q = (1.0 - gain) * q + gain * p
        elif i >= n:
            q += p
            if i == 2 * n:
                q = q / period
        if i >= 2 * n:
            s += q
    return p, q, s / period


@compiled
def _chain(x: Any, kind: int, period: int, gain: float, fade: Any, out: Any, fine: Any) -> None:
    depth = 2 if kind == DOUBLE else 3
    bars, first = x.shape[1], depth * (period - 1)
    start = first + 1
    whole = bars - (bars - start) % 8
    rest, found = np.empty(8), np.empty(8)
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        averages = _seeds(row, period, depth, gain)
        p, q, s = averages
        blank(to, start)
        if kind == DOUBLE:
            to[first] = 2.0 * p - q
        elif kind == TRIPLE:
            to[first] = 3.0 * (p - q) + s
        averages = _chain_eights(row[start:whole], kind, gain, fade, averages, to[start:whole])
        if whole < bars:
            take_rest(row, whole, rest)
            averages = _chain_eights(rest, kind, gain, fade, averages, found)
            put_rest(found, whole, to)
        # What is not finite stays in the averages.
        fine[r] = averages[1] - averages[1] == 0.0


def _run(kind: int, given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    gain = 2.0 / (given[0] + 1)
    _chain(*inputs, kind, given[0], gain, powers(1.0 - gain), *outputs, fine)


LOOPS = {
    "DEMA": partial(_run, DOUBLE),
    "TEMA": partial(_run, TRIPLE),
    "TRIX": partial(_run, CHANGE),
}
