"""Directional movement."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import TILE, blank, compiled, put_rest, take_rest
from .ranges import true_range, true_ranges
from .scans import powers, scan_run
from .vectors import (
    add,
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
    where_more,
    where_zero,
)


@compiled
def _directions(
    high: Any, low: Any, close: Any, sums: Any, fade: Any, ups: Any, downs: Any, spread: Any
) -> Any:
    """Write +DI, -DI and their spread, from (range, rises, falls); return what these are at the end.

    The inputs start one bar before the outputs.
    """
    span, plus, minus = sums
    weights, zero, hundred = load(fade, 0), splat(0.0), splat(100.0)
    for i in range(0, ups.size, 8):
        high_1, low_1 = load(high, i), load(low, i)
        hi, lo = load(high, i + 1), load(low, i + 1)
        rise, fall = larger(zero, sub(hi, high_1)), larger(zero, sub(low_1, lo))
        a = faded(where_more(rise, fall, rise, zero), fade[0], fade[1], fade[3])
        b = faded(where_more(fall, rise, fall, zero), fade[0], fade[1], fade[3])
        ranges = true_ranges(hi, lo, load(close, i + 1), load(close, i))
        c = faded(ranges, fade[0], fade[1], fade[3])
        up, down = fma(splat(plus), weights, a), fma(splat(minus), weights, b)
        whole = fma(splat(span), weights, c)
        plus, minus = fma_one(plus, fade[7], last(a)), fma_one(minus, fade[7], last(b))
        span = fma_one(span, fade[7], last(c))
        unit = where_zero(whole, zero, div(hundred, whole))
        both = add(up, down)
        away = div(mul(size(sub(up, down)), hundred), both)
        store(spread, i, where_zero(mul(both, unit), zero, away))
        store(ups, i, mul(up, unit))
        store(downs, i, mul(down, unit))
    return span, plus, minus


@compiled
def _adx(
    high: Any, low: Any, close: Any, period: int, fade: Any, adx: Any, di_up: Any, di_down: Any,
    fine: Any,
) -> None:  # fmt: skip
    bars, keep, gain = high.shape[1], (period - 1) / period, 1.0 / period
    whole = bars - (bars - period) % 8
    rest, found = np.empty((3, 9)), np.empty((3, 8))
    for r in range(high.shape[0]):
        hi, lo, c = high[r], low[r], close[r]
        to, ups, downs = adx[r], di_up[r], di_down[r]
        # The first p - 1 bars fill the sums.
        span, plus, minus = (hi[0] + lo[0] + c[0]) * 0.0, 0.0, 0.0
        for i in range(1, period):
            rise, fall = max(hi[i] - hi[i - 1], 0.0), max(lo[i - 1] - lo[i], 0.0)
            plus += rise if rise > fall else 0.0
            minus += fall if fall > rise else 0.0
            span += true_range(hi, lo, c, i)
        start, ready, y = period, 2 * period, 0.0
        sums = span, plus, minus
        while start < bars:
            if start < whole:
                stop = min(start + TILE, whole)
                a, b = start - 1, stop
                sums = _directions(
                    hi[a:b], lo[a:b], c[a:b], sums, fade, ups[start:b], downs[start:b], to[start:b]
                )
            else:
                stop = bars
                take_rest(hi, start - 1, rest[0])
                take_rest(lo, start - 1, rest[1])
                take_rest(c, start - 1, rest[2])
                sums = _directions(
                    rest[0], rest[1], rest[2], sums, fade, found[0], found[1], found[2]
                )
                put_rest(found[0], start, ups)
                put_rest(found[1], start, downs)
                put_rest(found[2], start, to)
            # The spreads of the first p of these bars make the first mean.
            for i in range(start, min(stop, 2 * period)):
                y += to[i]
                if i == 2 * period - 1:
                    y = y / period
                    to[i] = y
            # Whole eights, counted from the first mean on.
            until = bars if stop == bars else stop - (stop - ready) % 8
            if ready < until:
                y = scan_run(to[ready:until], keep, gain, y, fade, to[ready:until])
                ready = until
            start = stop
        # What is not finite stays in the sum of the ranges.
        fine[r] = sums[0] - sums[0] == 0.0
        blank(to, 2 * period - 1)
        blank(ups, 2 * period - 1)
        blank(downs, 2 * period - 1)


def _run_adx(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _adx(*inputs, given[0], powers(keep), *outputs, fine)


LOOPS = {
    "ADX": _run_adx,
}
