"""Sums, extremes and variances of the windows of one run of values, in tiles."""

from __future__ import annotations

from typing import Any

from .._streams import CANCELLED
from .jit import compiled
from .vectors import add, fma, larger, load, mul, smaller, splat, store, summed

# What `extreme_run` looks for.
HIGHEST, LOWEST = True, False


@compiled
def _add_runs(part: Any, run: Any, at: int, length: int, count: int) -> None:
    """Add one to three neighbouring runs; the first time (at 0) they are what there is."""
    n, second, third = part.size, at + length, at + 2 * length
    for i in range(0, n - 7, 8):
        found = load(run, i + at)
        if count > 1:
            found = add(found, load(run, i + second))
        if count > 2:
            found = add(found, load(run, i + third))
        store(part, i, add(load(part, i), found) if at else found)
    for i in range(n // 8 * 8, n):
        one = run[i + at]
        if count > 1:
            one += run[i + second]
        if count > 2:
            one += run[i + third]
        part[i] = part[i] + one if at else one


@compiled
def _add_four(run: Any, length: int, to: Any) -> None:
    n, second, third = to.size, 2 * length, 3 * length
    for i in range(0, n - 7, 8):
        older = add(load(run, i), load(run, i + length))
        store(to, i, add(older, add(load(run, i + second), load(run, i + third))))
    for i in range(n // 8 * 8, n):
        to[i] = (run[i] + run[i + length]) + (run[i + second] + run[i + third])


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
def scaled_run(part: Any, by: float) -> float:
    """Multiply all values by a number; zero if all are finite."""
    n, bad = part.size, splat(0.0)
    for i in range(0, n - 7, 8):
        found = mul(load(part, i), splat(by))
        bad = fma(found, splat(0.0), bad)
        store(part, i, found)
    rest = summed(bad)
    for i in range(n // 8 * 8, n):
        part[i] *= by
        rest += part[i] * 0.0
    return rest


@compiled
def _extreme_of(run: Any, length: int, period: int, top: bool, to: Any) -> None:
    """Extremes of `period` values from those of two to four runs, which may overlap."""
    n, second, last = to.size, 2 * length, period - length
    three, four = period > 2 * length, period > 3 * length
    for i in range(0, n - 7, 8):
        a, b = load(run, i), load(run, i + last)
        found = larger(a, b) if top else smaller(a, b)
        if three:
            a = load(run, i + length)
            found = larger(a, found) if top else smaller(a, found)
        if four:
            a = load(run, i + second)
            found = larger(a, found) if top else smaller(a, found)
        store(to, i, found)
    for i in range(n // 8 * 8, n):
        one = max(run[i], run[i + last]) if top else min(run[i], run[i + last])
        if three:
            one = max(one, run[i + length]) if top else min(one, run[i + length])
        if four:
            one = max(one, run[i + second]) if top else min(one, run[i + second])
        to[i] = one


@compiled
def extreme_run(row: Any, period: int, top: bool, part: Any, one: Any, two: Any) -> None:
    """Maxima (`top` is HIGHEST) or minima (LOWEST) of the windows that start at each value."""
    width = row.size
    run, to, other = row, one, two
    length = 1
    while 4 * length < period:
        width -= 3 * length
        _extreme_of(run, length, 4 * length, top, to[:width])
        run = to
        to, other = other, to
        length *= 4
    _extreme_of(run, length, period, top, part)


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
