"""True ranges and their averages."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import blank, compiled, put_rest, take_rest
from .scans import average_eight, powers
from .vectors import (
    add,
    div,
    fma,
    larger,
    load,
    mul,
    smaller,
    splat,
    store,
    sub,
    summed,
    where_zero,
)


@compiled
def true_ranges(high: Any, low: Any, close: Any, before: Any) -> Any:
    """Return the true ranges of eight bars; not finite where one of the prices is not."""
    span = sub(larger(before, high), smaller(before, low))
    return fma(add(add(high, low), close), splat(0.0), span)


@compiled
def true_range(high: Any, low: Any, close: Any, i: int) -> Any:
    """Return the true range of a bar; not finite where one of the prices is not."""
    top = high[i] if not high[i] < close[i - 1] else close[i - 1]
    floor = low[i] if not low[i] > close[i - 1] else close[i - 1]
    return top - floor + (high[i] + low[i] + close[i]) * 0.0


@compiled
def _true_range(high: Any, low: Any, close: Any, out: Any, fine: Any) -> None:
    bars = high.shape[1]
    whole = bars - (bars - 1) % 8
    for r in range(high.shape[0]):
        hi, lo, c, to = high[r], low[r], close[r], out[r]
        to[0] = np.nan
        bad = splat((hi[0] + lo[0] + c[0]) * 0.0)
        for i in range(1, whole, 8):
            span = true_ranges(load(hi, i), load(lo, i), load(c, i), load(c, i - 1))
            bad = fma(span, splat(0.0), bad)
            store(to, i, span)
        rest = summed(bad)
        for i in range(whole, bars):
            to[i] = true_range(hi, lo, c, i)
            rest += to[i] * 0.0
        fine[r] = rest == 0.0


@compiled
def _atr_eights(
    high: Any, low: Any, now: Any, before: Any, gain: float, relative: bool, y: float, fade: Any,
    out: Any,
) -> float:  # fmt: skip
    zero, hundred = splat(0.0), splat(100.0)
    for i in range(0, out.size, 8):
        c = load(now, i)
        span = true_ranges(load(high, i), load(low, i), c, load(before, i))
        found, y = average_eight(span, gain, fade, y)
        if relative:
            found = where_zero(c, zero, mul(div(found, c), hundred))
        store(out, i, found)
    return y


@compiled
def _atr(
    high: Any, low: Any, close: Any, period: int, relative: bool, fade: Any, out: Any, fine: Any
) -> None:
    bars, gain = high.shape[1], 1.0 / period
    whole = bars - (bars - period - 1) % 8
    rest, found = np.empty((3, 9)), np.empty(8)
    for r in range(high.shape[0]):
        hi, lo, c, to = high[r], low[r], close[r], out[r]
        blank(to, period)
        y = (hi[0] + lo[0] + c[0]) * 0.0
        for i in range(1, period + 1):
            y += true_range(hi, lo, c, i)
        y = y / period
        to[period] = y
        if relative:
            to[period] = y / c[period] * 100.0 if c[period] != 0.0 else 0.0
        a, b = period + 1, whole
        before, part = c[a - 1 : b - 1], to[a:b]
        y = _atr_eights(hi[a:b], lo[a:b], c[a:b], before, gain, relative, y, fade, part)
        if whole < bars:
            take_rest(hi, whole - 1, rest[0])
            take_rest(lo, whole - 1, rest[1])
            take_rest(c, whole - 1, rest[2])
            now, before = rest[:, 1:], rest[2, :8]
            y = _atr_eights(now[0], now[1], now[2], before, gain, relative, y, fade, found)
            put_rest(found, whole, to)
        # What is not finite stays in the average.
        fine[r] = y - y == 0.0


def _run_true_range(_given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _true_range(*inputs, *outputs, fine)


def _run_atr(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _atr(*inputs, given[0], False, powers(keep), *outputs, fine)  # noqa: FBT003


def _run_natr(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _atr(*inputs, given[0], True, powers(keep), *outputs, fine)  # noqa: FBT003


LOOPS = {
    "ATR": _run_atr,
    "NATR": _run_natr,
    "TrueRange": _run_true_range,
}
