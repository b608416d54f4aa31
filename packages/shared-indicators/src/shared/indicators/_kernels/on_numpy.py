"""The operations over blocks of rows x bars, on numpy alone.

A result depends only on what came before its bar, in an order of operations that depends on
neither the number of rows nor the number of bars: rows of a panel equal single series bit for bit, and
the result on a prefix is the prefix of the result.
"""

from __future__ import annotations

from functools import lru_cache
from math import isfinite, log
from typing import TYPE_CHECKING, Any

import numpy as np

from .._base.constants import CANCELLED
from .._formula.machines import MACHINES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Array = np.ndarray[tuple[int, int], np.dtype[np.float64]]

# The weights of a scan stay within 10**-50 .. 10**50, so that neither they nor the products overflow.
_SPAN = 100 * log(10)
_LONGEST = 512
# Values that stay in the second cache between two passes.
_BLOCK = 65536
# Values of a sum of squares.
_SERIAL = 8192


def windowed(x: Array, period: int, join: Callable[..., Any], *args: Any) -> Any:
    """Aggregate every window by doubling: runs of 1, 2, 4, .. values, then the ones that make `period`.

    `join(older, newer, length of the older, length of the newer)` joins neighbouring runs.
    """
    run: Any = (x, *args)
    length, done, found = 1, 0, None
    while True:
        if period & length:
            if found is None:
                found = run
            else:
                # The run goes before what is there.
                newer = tuple(part[..., length:] for part in found)
                older = tuple(part[..., : newer[0].shape[-1]] for part in run)
                found = join(older, newer, length, done)
            done += length
        if done == period:
            return found
        older = tuple(part[..., :-length] for part in run)
        newer = tuple(part[..., length:] for part in run)
        run = join(older, newer, length, length)
        length *= 2


def ready(x: Array) -> Array:
    """Return the input unchanged: these kernels accept any array."""
    return x


def lag(x: Array, bars: int) -> Array:
    """Return the values of `bars` bars ago."""
    return x[:, :-bars]


def total(x: Array, period: int) -> Array:
    """Return sums of windows."""
    found: Array = windowed(x, period, lambda a, b, _m, _n: (a[0] + b[0],))[0]
    return found


def _extreme(x: Array, period: int, join: np.ufunc) -> Array:
    length = 1
    while 2 * length <= period:
        x = join(x[:, :-length], x[:, length:])
        length *= 2
    if length < period:
        x = join(x[:, : -(period - length)], x[:, period - length :])
    return x


def highest(x: Array, period: int) -> Array:
    """Return maxima of windows."""
    return _extreme(x, period, np.maximum)


def lowest(x: Array, period: int) -> Array:
    """Return minima of windows."""
    return _extreme(x, period, np.minimum)


def weighted(x: Array, period: int) -> Array:
    """Return sums of windows, weighted 1 .. period."""

    def join(a: Any, b: Any, older: int, _newer: int) -> Any:
        return a[0] + b[0], a[1] + b[1] + older * b[0]

    found: Array = windowed(x, period, join, x)[1]
    return found


def variance(x: Array, period: int) -> Array:
    """Return population variances of windows."""
    around = x - x[:, :1]
    s = total(around, period)
    around *= around
    ss = total(around, period)
    found = np.multiply(s, s)
    found *= -1.0 / period
    found += ss
    kept = found >= np.multiply(ss, CANCELLED, out=s)
    found *= 1.0 / period
    if not kept.all():
        bad = ~kept
        rows, bars = np.nonzero(bad)
        # A few at a time: each needs its whole window.
        for start in range(0, len(rows), chunk := max(1, 65536 // period)):
            r, b = rows[start : start + chunk], bars[start : start + chunk]
            window = x[r[:, None], b[:, None] + np.arange(period)]
            # Around a value of the window, so that a constant window gives exactly zero.
            away = window - window[:, :1]
            away -= total(away, period) / period
            away *= away
            found[r, b] = total(away, period)[:, 0] / period
    return found


def deviation(x: Array, period: int) -> Array:
    """Return the mean absolute distances of windows from their means."""
    mean = total(x, period) / period
    bars = mean.shape[1]
    found = np.zeros_like(mean)
    for start in range(period):
        away = x[:, start : start + bars] - mean
        found += np.abs(away, out=away)
    return found / period


def _since(x: Array, period: int) -> Array:
    def join(a: Any, b: Any, _older: int, newer: int) -> Any:
        stays = a[0] > b[0]
        return np.where(stays, a[0], b[0]), np.where(stays, a[1] + newer, b[1])

    found: Array = windowed(x, period, join, np.zeros_like(x))[1]
    return found


def bars_since_high(x: Array, period: int) -> Array:
    """Return the bars since the maxima of windows."""
    return _since(x, period)


def bars_since_low(x: Array, period: int) -> Array:
    """Return the bars since the minima of windows."""
    return _since(-x, period)


@lru_cache(maxsize=256)
def _weights(keep: float) -> tuple[Any, Any, float]:
    """Return keep**(c-i) and keep**(i-c) over the longest block whose weights stay in range; keep**(c+1)."""
    length = _LONGEST if keep >= 1.0 else max(1, min(_LONGEST, int(_SPAN / -log(keep))))
    steps = np.arange(length)
    middle = length // 2
    return keep ** (middle - steps), keep ** (steps - middle + 0.0), keep ** (middle + 1.0)


def scan(x: Array, keep: float, gain: float, carry: np.ndarray) -> Array:
    """Calculate y[i] = keep * y[i-1] + gain * x[i] from `carry`, which is left at the last y.

    Within a block y[i] = keep**i * (cumsum(gain * x[i] / keep**i) + keep * the y before the block).
    """
    if keep == 0.0:
        if x.shape[1]:
            carry[:] = gain * x[:, -1]
        return gain * x
    length, (rows, bars) = len(_weights(keep)[0]), x.shape
    found = np.empty((rows, bars))
    whole = bars // length * length
    if whole:
        blocks = found[:, :whole].reshape(rows, -1, length)
        _scan_blocks(x[:, :whole].reshape(rows, -1, length), blocks, keep, gain, carry)
        if rows > 1:
            # Of a single row the blocks are the same memory.
            found[:, :whole] = blocks.reshape(rows, whole)
    if whole < bars:
        rest = np.empty((rows, 1, bars - whole))
        _scan_blocks(x[:, None, whole:], rest, keep, gain, carry)
        found[:, whole:] = rest[:, 0]
    return found


def _scan_blocks(x: Any, out: Any, keep: float, gain: float, carry: np.ndarray) -> None:
    up, down, reach = _weights(keep)
    up, down = up[: x.shape[2]], down[: x.shape[2]]
    np.multiply(x, gain * up, out=out)
    np.add.accumulate(out, axis=2, out=out)
    fade = float(down[-1])
    ends, last = out[:, :, -1] * fade, reach * fade
    before = np.empty(ends.shape)
    if len(carry) == 1:
        # Python's floats: the same arithmetic, without numpy's price of a call.
        now, starts = float(carry[0]), []
        for end in ends[0].tolist():
            starts.append(now)
            now = now * last + end
        before[0], carry[0] = starts, now
    else:
        for i in range(ends.shape[1]):
            before[:, i] = carry
            carry *= last
            carry += ends[:, i]
    before *= reach
    out += before[:, :, None]
    out *= down


def _tame(x: Array) -> bool:
    """Return whether all values are finite and none is beyond 1e150.

    In parts so short that a BLAS does not hand them to its threads: on a machine at work these take a
    hundred times as long.
    """
    values = x.reshape(-1)
    parts = (values[i : i + _SERIAL] for i in range(0, values.size, _SERIAL))
    return all(isfinite(np.dot(part, part)) for part in parts)


def all_finite(blocks: Sequence[Array]) -> bool:
    """Return whether no value is NaN or infinite."""
    return all(_tame(block) or bool(np.isfinite(block).all()) for block in blocks)


def signs(x: Array, before: np.ndarray) -> Array:
    """Return 1 for up, -1 for down, 0 for flat, from the values before the first."""
    found = np.empty(x.shape)
    np.subtract(x[:, 1:], x[:, :-1], out=found[:, 1:])
    np.subtract(x[:, 0], before, out=found[:, 0])
    return np.sign(found, out=found)


def machine(
    name: str, blocks: Sequence[Array], a: float, b: float, states: Array, out: Array
) -> None:
    """Run a state machine over every row, on Python floats."""
    turn = MACHINES[name][0]
    for r in range(len(states)):
        state, found = tuple(states[r].tolist()), []
        for bar in zip(*(block[r].tolist() for block in blocks), strict=True):
            state, shown = turn(state, *bar, a, b)
            found.append(shown)
        states[r] = state
        if found:
            out[:, r] = np.array(found).T


def _changes(x: Array, period: int, out: Array, fine: Any, *, relative: bool) -> None:
    """Write differences, or relative changes in percent; a pass in memory costs more than the calculation."""
    rows, bars = x.shape
    out[:, :period] = np.nan
    fine &= np.isfinite(x[:, :period]).all(axis=1)
    at_once = max(1, _BLOCK // bars)
    for r in range(0, rows, at_once):
        these = slice(r, r + at_once)
        for start in range(period, bars, _BLOCK):
            stop = min(start + _BLOCK, bars)
            now, before = x[these, start:stop], x[these, start - period : stop - period]
            part = out[these, start:stop]
            if relative:
                np.divide(now, before, out=part)
                part -= 1.0
                part *= 100.0
            else:
                np.subtract(now, before, out=part)
            if not _tame(part):
                fine[these] &= np.isfinite(now).all(axis=1)
                if relative:
                    part[before == 0.0] = 0.0


def _momentum(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _changes(inputs[0], given[0], outputs[0], fine, relative=False)


def _roc(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _changes(inputs[0], given[0], outputs[0], fine, relative=True)


# Whole indicators, as in `native`: those that are one pass over memory and nothing else.
LOOPS = {"Momentum": _momentum, "ROC": _roc}
