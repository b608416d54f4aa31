"""Sums, extremes and variances of the windows of one run of values, in tiles.

In the passes every array is cut to one length first: only then does LLVM make vector code.
"""

from __future__ import annotations

from typing import Any

from .._streams import CANCELLED
from .jit import compiled

# What `extreme_run` looks for.
HIGHEST, LOWEST = True, False


@compiled
def _add_runs(part: Any, run: Any, at: int, length: int, count: int) -> None:
    """Add one to three neighbouring runs; the first time (at 0) they are what there is."""
    n = part.size
    a = run[at : at + n]
    if count == 1:
        if at == 0:
            for i in range(n):
                part[i] = a[i]
        else:
            for i in range(n):
                part[i] += a[i]
        return
    b = run[at + length : at + length + n]
    if count == 2:
        if at == 0:
            for i in range(n):
                part[i] = a[i] + b[i]
        else:
            for i in range(n):
                part[i] += a[i] + b[i]
        return
    c = run[at + 2 * length : at + 2 * length + n]
    if at == 0:
        for i in range(n):
            part[i] = a[i] + b[i] + c[i]
    else:
        for i in range(n):
            part[i] += a[i] + b[i] + c[i]


@compiled
def _add_four(run: Any, length: int, to: Any) -> None:
    n = to.size
    a, b = run[:n], run[length : length + n]
    c, d = run[2 * length : 2 * length + n], run[3 * length : 3 * length + n]
    for i in range(n):
        to[i] = (a[i] + b[i]) + (c[i] + d[i])


@compiled
def total_run(row: Any, period: int, part: Any, one: Any, two: Any) -> None:
    """Sums of the windows that start at each value: runs of 1, 4, 16, .. values make `period`."""
    width = row.size
    run, to, other = row, one, two
    length, done = 1, 0
    while True:
        count = (period // length) % 4
        if count:
            _add_runs(part, run, done, length, count)
            done += count * length
            if done == period:
                return
        width -= 3 * length
        _add_four(run, length, to[:width])
        run = to
        to, other = other, to
        length *= 4


@compiled
def _extreme_of(run: Any, first: int, second: int, third: int, top: bool, to: Any) -> None:
    n = to.size
    a, b = run[:n], run[first : first + n]
    c, d = run[second : second + n], run[third : third + n]
    if top:
        for i in range(n):
            p = max(a[i], b[i])
            q = max(c[i], d[i])
            to[i] = max(p, q)
    else:
        for i in range(n):
            p = min(a[i], b[i])
            q = min(c[i], d[i])
            to[i] = min(p, q)


@compiled
def extreme_run(row: Any, period: int, top: bool, part: Any, one: Any, two: Any) -> None:
    """Maxima (`top` is HIGHEST) or minima (LOWEST) of the windows that start at each value."""
    width = row.size
    run, to, other = row, one, two
    length = 1
    while 4 * length <= period:
        width -= 3 * length
        _extreme_of(run, length, 2 * length, 3 * length, top, to[:width])
        run = to
        to, other = other, to
        length *= 4
    last = period - length
    _extreme_of(run, min(length, last), min(2 * length, last), last, top, part)


@compiled
def _squares(row: Any, reference: float, around: Any, squares: Any) -> None:
    for i in range(row.size):
        away = row[i] - reference
        around[i] = away
        squares[i] = away * away


@compiled
def _spread(part: Any, ss: Any, share: float) -> int:
    """Variances from sums (in `part`) and sums of squares; how many of them cancelled."""
    bad = 0
    for i in range(part.size):
        v = ss[i] - part[i] * part[i] * share
        bad += not (v >= CANCELLED * ss[i])
        part[i] = v * share
    return bad


@compiled
def variance_run(row: Any, period: int, part: Any, t: Any) -> None:
    """Sums of squares around a value of the run; windows where they cancel, again in two passes."""
    width, m = row.size, part.size
    around, squares, ss = t[0, :width], t[1, :width], t[4, :m]
    _squares(row, row[0], around, squares)
    total_run(around, period, part, t[2], t[3])
    total_run(squares, period, ss, t[2], t[3])
    bad = _spread(part, ss, 1.0 / period)
    if bad == 0:
        return
    for i in range(m):
        if not (part[i] * period >= CANCELLED * ss[i]):
            # Around a value of the window, so that a constant window gives exactly zero.
            mean = 0.0
            for k in range(period):
                mean += row[i + k] - row[i]
            mean = row[i] + mean / period
            v = 0.0
            for k in range(period):
                v += (row[i + k] - mean) * (row[i + k] - mean)
            part[i] = v / period
