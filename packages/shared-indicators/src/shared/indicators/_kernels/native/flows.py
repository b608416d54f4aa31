"""Running sums of volume and of the money that it moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import blank, compiled, finite_run, put_rest, take_rest
from .scans import average_eight, powers
from .vectors import (
    add,
    div,
    faded,
    fma,
    lane,
    last,
    load,
    mul,
    splat,
    store,
    sub,
    summed,
    where_more,
    where_zero,
)


@compiled
def _obv_eights(now: Any, before: Any, volume: Any, y: float, out: Any) -> Any:
    """Continue from the sum so far; return the last sum, and zero if all bars are finite."""
    zero = splat(0.0)
    bad = zero
    for i in range(0, out.size, 8):
        c, b, v = load(now, i), load(before, i), load(volume, i)
        bad = fma(add(c, v), zero, bad)
        signed = where_more(c, b, v, where_more(b, c, sub(zero, v), zero))
        sums = faded(signed, 1.0, 1.0, 1.0)
        store(out, i, add(splat(y), sums))
        y += last(sums)
    return y, summed(bad)


@compiled
def _obv(close: Any, volume: Any, out: Any, fine: Any, states: Any) -> None:
    bars = close.shape[1]
    whole = bars - (bars - 1) % 8
    rest, found = np.empty((2, 9)), np.empty(8)
    for r in range(close.shape[0]):
        c, v, to = close[r], volume[r], out[r]
        # The first bar counts as up.
        to[0] = v[0]
        y, bad = _obv_eights(c[1:whole], c[: whole - 1], v[1:whole], v[0], to[1:whole])
        if whole < bars:
            take_rest(c, whole - 1, rest[0])
            take_rest(v, whole - 1, rest[1])
            y, more = _obv_eights(rest[0, 1:], rest[0, :8], rest[1, 1:], y, found)
            put_rest(found, whole, to)
            bad += more
        fine[r] = bad + (y + c[0]) * 0.0 == 0.0
        states[r, 0] = to[bars - 1]


@compiled
def _flow(high: Any, low: Any, close: Any, volume: Any) -> Any:
    """Return the money flow of eight bars; not finite where an input is not."""
    span = sub(high, low)
    share = div(sub(sub(close, low), sub(high, close)), span)
    zero = splat(0.0)
    return fma(where_zero(span, zero, share), volume, mul(close, zero))


@compiled
def _ad_eights(high: Any, low: Any, close: Any, volume: Any, y: float, out: Any) -> float:
    for i in range(0, out.size, 8):
        flow = _flow(load(high, i), load(low, i), load(close, i), load(volume, i))
        sums = faded(flow, 1.0, 1.0, 1.0)
        store(out, i, add(splat(y), sums))
        y += last(sums)
    return y


@compiled
def _ad(high: Any, low: Any, close: Any, volume: Any, out: Any, fine: Any, states: Any) -> None:
    bars = high.shape[1]
    whole = bars - bars % 8
    rest, found = np.empty((4, 8)), np.empty(8)
    for r in range(high.shape[0]):
        hi, lo, c, v, to = high[r], low[r], close[r], volume[r], out[r]
        y = _ad_eights(hi, lo, c, v, 0.0, to[:whole])
        if whole < bars:
            take_rest(hi, whole, rest[0])
            take_rest(lo, whole, rest[1])
            take_rest(c, whole, rest[2])
            take_rest(v, whole, rest[3])
            _ad_eights(rest[0], rest[1], rest[2], rest[3], y, found)
            put_rest(found, whole, to)
        # What is not finite stays in the sum.
        y = to[bars - 1]
        fine[r] = y - y == 0.0
        states[r, 0] = y


@compiled
def _chaikin_eights(
    high: Any, low: Any, close: Any, volume: Any, gains: Any, fades: Any, sums: Any, out: Any,
    at: int,
) -> Any:  # fmt: skip
    """Continue from the running sum and its two averages; return what they are at place `at` of the last eight."""
    y, p, q = sums
    total = quick = calm = splat(0.0)
    for i in range(0, out.size, 8):
        flow = _flow(load(high, i), load(low, i), load(close, i), load(volume, i))
        added = faded(flow, 1.0, 1.0, 1.0)
        total = add(splat(y), added)
        y += last(added)
        quick, p = average_eight(total, gains[0], fades[0], p)
        calm, q = average_eight(total, gains[1], fades[1], q)
        store(out, i, sub(quick, calm))
    return lane(total, at), lane(quick, at), lane(calm, at)


@compiled
def _chaikin(
    high: Any, low: Any, close: Any, volume: Any, gains: Any, fades: Any, lookback: int, out: Any,
    fine: Any, states: Any,
) -> None:  # fmt: skip
    bars = high.shape[1]
    whole = bars - (bars - 1) % 8
    rest, found = np.empty((4, 8)), np.empty(8)
    for r in range(high.shape[0]):
        hi, lo, c, v, to = high[r], low[r], close[r], volume[r], out[r]
        # The averages start at the first flow.
        span = hi[0] - lo[0]
        first = ((c[0] - lo[0]) - (hi[0] - c[0])) / span * v[0] if span != 0.0 else 0.0
        sums = first, first, first
        if whole > 1:
            a, b = hi[1:whole], lo[1:whole]
            sums = _chaikin_eights(a, b, c[1:whole], v[1:whole], gains, fades, sums, to[1:whole], 7)
        if whole < bars:
            take_rest(hi, whole, rest[0])
            take_rest(lo, whole, rest[1])
            take_rest(c, whole, rest[2])
            take_rest(v, whole, rest[3])
            sums = _chaikin_eights(
                rest[0], rest[1], rest[2], rest[3], gains, fades, sums, found, bars - whole - 1
            )
            put_rest(found, whole, to)
        states[r, 0], states[r, 1], states[r, 2] = sums
        # What is not finite stays in the sum.
        fine[r] = sums[0] - sums[0] == 0.0 and finite_run(c[:1])
        blank(to, lookback)


def _run_obv(_given: Any, inputs: Any, outputs: Any, fine: Any) -> Any:
    states = np.empty((len(fine), 1))
    _obv(*inputs, *outputs, fine, states)
    return states


def _run_ad(_given: Any, inputs: Any, outputs: Any, fine: Any) -> Any:
    states = np.empty((len(fine), 1))
    _ad(*inputs, *outputs, fine, states)
    return states


def _run_chaikin(given: Any, inputs: Any, outputs: Any, fine: Any) -> Any:
    states, gains = np.empty((len(fine), 3)), 2.0 / (np.array(given) + 1.0)
    fades = np.array([powers(1.0 - gain) for gain in gains.tolist()])
    _chaikin(*inputs, gains, fades, given[1] - 1, *outputs, fine, states)
    return states


LOOPS = {
    "AccumulationDistribution": _run_ad,
    "ChaikinOscillator": _run_chaikin,
    "OBV": _run_obv,
}
