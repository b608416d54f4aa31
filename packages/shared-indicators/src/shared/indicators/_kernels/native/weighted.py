"""Weighted averages: a window of p values as runs of about sqrt(2 p) values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .jit import blank, compiled, tiles
from .vectors import add, fma, fma_one, load, mul, splat, store, summed


@lru_cache(maxsize=256)
def split(period: int) -> tuple[int, int, int]:
    """Choose the length and number of the runs and how many values are left, to load the fewest values."""
    return min(
        ((length, *divmod(period, length)) for length in range(1, period + 1)),
        key=lambda runs: runs[0] + 2 * runs[1] + runs[2],
    )


@compiled
def _runs(x: Any, length: int, sums: Any, weighted: Any) -> None:
    """Write sums of runs, plain and weighted from 1 (oldest): sums of the sums from the newest on."""
    n = sums.size
    for i in range(0, n - 7, 8):
        s = w = load(x, i + length - 1)
        for k in range(i + length - 2, i - 1, -1):
            s = add(s, load(x, k))
            w = add(w, s)
        store(sums, i, s)
        store(weighted, i, w)
    for i in range(n // 8 * 8, n):
        one = all_one = x[i + length - 1]
        for k in range(i + length - 2, i - 1, -1):
            one += x[k]
            all_one += one
        sums[i], weighted[i] = one, all_one


@compiled
def _join(
    x: Any, sums: Any, weighted: Any, length: int, count: int, rest: int, by: float, out: Any
) -> Any:
    """Write weighted sums of `rest` values and the `count` runs after them, times `by`; return 0 if all are finite."""
    n, bad, reach = out.size, splat(0.0), (count - 1) * length
    for i in range(0, n - 7, 8):
        first = i + rest
        s = t = splat(0.0)
        w, k = load(weighted, first), first + reach
        for _ in range(count - 1):
            s = add(s, load(sums, k))
            t = add(t, s)
            w = add(w, load(weighted, k))
            k -= length
        w = fma(t, splat(float(length)), w)
        if rest:
            w = fma(add(s, load(sums, first)), splat(float(rest)), w)
            s = t = splat(0.0)
            for k in range(first - 1, i - 1, -1):
                s = add(s, load(x, k))
                t = add(t, s)
            w = add(w, t)
        w = mul(w, splat(by))
        bad = fma(w, splat(0.0), bad)
        store(out, i, w)
    wrong = summed(bad)
    for i in range(n // 8 * 8, n):
        first = i + rest
        one = two = 0.0
        found, k = weighted[first], first + reach
        for _ in range(count - 1):
            one += sums[k]
            two += one
            found += weighted[k]
            k -= length
        found = fma_one(two, float(length), found)
        if rest:
            found = fma_one(one + sums[first], float(rest), found)
            one = two = 0.0
            for k in range(first - 1, i - 1, -1):
                one += x[k]
                two += one
            found += two
        out[i] = found * by
        wrong += out[i] * 0.0
    return wrong


@compiled
def weighted_run(x: Any, runs: Any, by: float, out: Any, t: Any) -> Any:
    """Write sums of the windows that start at each value, weighted 1 (oldest) to the length of the window.

    They are multiplied by `by`; the answer is zero if all are finite.
    """
    length, count, rest = runs
    n = x.size - length + 1
    _runs(x, length, t[0, :n], t[1, :n])
    return _join(x, t[0], t[1], length, count, rest, by, out)


@compiled
def _wma(x: Any, period: int, runs: Any, out: Any, fine: Any, t: Any) -> None:
    tile, bars, share = t.shape[1] - period + 1, x.shape[1], 2.0 / (period * (period + 1.0))
    for r in range(x.shape[0]):
        row, bad = out[r], 0.0
        blank(row, period - 1)
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            part = row[start + period - 1 : stop + period - 1]
            bad += weighted_run(x[r, start : stop + period - 1], runs, share, part, t)
        # What is not finite stays in the sums.
        fine[r] = bad == 0.0


def _run_wma(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    period = given[0]
    _wma(*inputs, period, split(period), *outputs, fine, tiles(period - 1, 2))


LOOPS = {
    "WMA": _run_wma,
}
