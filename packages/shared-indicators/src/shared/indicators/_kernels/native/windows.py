"""Sums, extremes and variances of the windows of one run of values, in tiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._base.constants import CANCELLED
from .jit import compiled
from .vectors import (
    add,
    fma,
    fma_one,
    larger,
    load,
    mul,
    root,
    smaller,
    splat,
    store,
    sub,
    summed,
    where_less,
)

# What `extreme_run` looks for.
HIGHEST, LOWEST = True, False
# What `variance_run` writes.
ROOTED, PLAIN = True, False


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
    """Write sums of the windows that start at each value: runs of 1, 4, 16, .. values make `period`."""
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
def divided_run(part: Any, count: int) -> Any:
    """Divide all values by a number; return zero if all are finite.

    The product with the inverse, and what is missing from it: a tenth of the time of a quotient.
    """
    n, bad, inverse = part.size, splat(0.0), 1.0 / count
    by, back = splat(inverse), splat(-float(count))
    for i in range(0, n - 7, 8):
        whole = load(part, i)
        found = mul(whole, by)
        found = fma(fma(found, back, whole), by, found)
        bad = fma(found, splat(0.0), bad)
        store(part, i, found)
    rest = summed(bad)
    for i in range(n // 8 * 8, n):
        one = part[i] * inverse
        part[i] = fma_one(fma_one(one, -float(count), part[i]), inverse, one)
        rest += part[i] * 0.0
    return rest


@compiled
def _extreme_of(run: Any, length: int, period: int, top: bool, to: Any) -> None:
    """Write the extremes of `period` values from those of two to four runs, which may overlap."""
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
    """Write maxima (`top` is HIGHEST) or minima (LOWEST) of the windows that start at each value."""
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
    n = row.size
    for i in range(0, n - 7, 8):
        away = sub(load(row, i), splat(reference))
        store(around, i, away)
        store(squares, i, mul(away, away))
    for i in range(n // 8 * 8, n):
        one = row[i] - reference
        around[i] = one
        squares[i] = one * one


@compiled
def _variances(
    sums: Any, ss: Any, period: int, reference: float, rooted: bool, width: float, out: Any
) -> Any:
    """Write means in place of sums, and variances, NaN where the sums cancelled; return whether all are finite."""
    n, share, zero = out.size, 1.0 / period, splat(0.0)
    bad, by, middle = zero, splat(share), splat(reference)
    for i in range(0, n - 7, 8):
        s, q = load(sums, i), load(ss, i)
        v = sub(q, mul(mul(s, s), by))
        found = mul(v, by)
        if rooted:
            found = mul(root(found), splat(width))
        found = where_less(v, mul(q, splat(CANCELLED)), splat(np.nan), found)
        bad = fma(found, zero, bad)
        store(out, i, found)
        store(sums, i, add(middle, mul(s, by)))
    rest = summed(bad)
    for i in range(n // 8 * 8, n):
        s_one = sums[i]
        v_one = ss[i] - s_one * s_one * share
        one = v_one * share
        if rooted:
            one = np.sqrt(one) * width
        out[i] = np.nan if v_one < CANCELLED * ss[i] else one
        sums[i] = reference + s_one * share
        rest += out[i] * 0.0
    return rest == 0.0


@compiled
def _in_two_passes(row: Any, start: int, period: int) -> Any:
    """Return the mean and variance of a window, around a value of it: a constant one gives exactly zero."""
    mean = v = 0.0
    for k in range(start, start + period):
        mean += row[k] - row[start]
    mean = row[start] + mean / period
    for k in range(start, start + period):
        v += (row[k] - mean) * (row[k] - mean)
    return mean, v / period


@compiled
def variance_run(
    row: Any, period: int, rooted: bool, width: float, means: Any, out: Any, t: Any
) -> bool:
    """Write means and variances of the windows that start at each value; return whether all are finite.

    If `rooted`: `width` standard deviations. Sums and sums of squares are those of the distances from
    a value of the run; windows where they cancel are done again in two passes.
    """
    around, squares, ss = t[0, : row.size], t[1, : row.size], t[4, : out.size]
    _squares(row, row[0], around, squares)
    total_run(around, period, means, t[2], t[3])
    total_run(squares, period, ss, t[2], t[3])
    if _variances(means, ss, period, row[0], rooted, width, out):
        return True
    for i in range(out.size):
        if out[i] - out[i] != 0.0:
            means[i], v = _in_two_passes(row, i, period)
            out[i] = np.sqrt(v) * width if rooted else v
            if out[i] - out[i] != 0.0:
                return False
    return True
