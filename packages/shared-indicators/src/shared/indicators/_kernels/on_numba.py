"""The operations over blocks of rows x bars, compiled by numba (extra `[fast]`).

The loops are written so that LLVM can vectorise them: windows by doubling runs in a tile that
stays in the first cache, recurrences as eight scans side by side. As with numpy's kernels, the order of
operations at a bar depends on neither the number of rows nor the number of bars.

Outputs are allocated here, outside the compiled code. The compiled code is kept on disk: next to this
file, or where NUMBA_CACHE_DIR points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._formula.machines import MACHINES
from .native.jit import compiled, finite_run, tiles
from .native.loops import LOOPS as LOOPS  # noqa: PLC0414 - part of this module's set
from .native.scans import powers, scan_run
from .native.weighted import split, weighted_run
from .native.windows import HIGHEST, LOWEST, PLAIN, extreme_run, total_run, variance_run
from .on_numpy import lag as lag  # noqa: PLC0414 - part of this module's set

if TYPE_CHECKING:
    from collections.abc import Sequence

    Array = np.ndarray[tuple[int, int], np.dtype[np.float64]]


class _Alias:
    """The memory of an array, seen as writable."""

    def __init__(self, array: Array) -> None:
        self.array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def ready(x: Array) -> Array:
    """Return the input as numba's one kind of array.

    numba treats read-only arrays as another type, for which everything would be compiled again;
    the loops do not write to inputs.
    """
    return x if x.flags.writeable else np.asarray(_Alias(x))


@compiled
def _finite(x: Any) -> bool:
    bad = 0
    for r in range(x.shape[0]):
        bad += not finite_run(x[r])
    return bad == 0


def all_finite(blocks: Sequence[Array]) -> bool:
    """Return whether no value is NaN or infinite."""
    return all(_finite(block) for block in blocks)


@compiled
def _total(x: Any, period: int, out: Any, one: Any, two: Any) -> None:
    tile = one.size - period + 1
    for r in range(x.shape[0]):
        for start in range(0, out.shape[1], tile):
            stop = min(start + tile, out.shape[1])
            total_run(x[r, start : stop + period - 1], period, out[r, start:stop], one, two)


@compiled
def _extreme(x: Any, period: int, top: bool, out: Any, one: Any, two: Any) -> None:
    tile = one.size - period + 1
    for r in range(x.shape[0]):
        for start in range(0, out.shape[1], tile):
            stop = min(start + tile, out.shape[1])
            part = out[r, start:stop]
            extreme_run(x[r, start : stop + period - 1], period, top, part, one, two)


def _outputs(x: Array, period: int) -> Array:
    return np.empty((x.shape[0], x.shape[1] - period + 1))


def total(x: Array, period: int) -> Array:
    """Return sums of windows."""
    out = _outputs(x, period)
    _total(np.ascontiguousarray(x), period, out, *tiles(period - 1, 2))
    return out


def highest(x: Array, period: int) -> Array:
    """Return maxima of windows."""
    out = _outputs(x, period)
    _extreme(np.ascontiguousarray(x), period, HIGHEST, out, *tiles(period - 1, 2))
    return out


def lowest(x: Array, period: int) -> Array:
    """Return minima of windows."""
    out = _outputs(x, period)
    _extreme(np.ascontiguousarray(x), period, LOWEST, out, *tiles(period - 1, 2))
    return out


@compiled
def _weighted(x: Any, period: int, runs: Any, out: Any, t: Any) -> None:
    tile = t.shape[1] - period + 1
    for r in range(x.shape[0]):
        for start in range(0, out.shape[1], tile):
            stop = min(start + tile, out.shape[1])
            weighted_run(x[r, start : stop + period - 1], runs, 1.0, out[r, start:stop], t)


def weighted(x: Array, period: int) -> Array:
    """Return sums of windows, weighted 1 .. period."""
    out = _outputs(x, period)
    _weighted(np.ascontiguousarray(x), period, split(period), out, tiles(period - 1, 2))
    return out


@compiled
def _variance(x: Any, period: int, out: Any, t: Any) -> None:
    tile = t.shape[1] - period + 1
    for r in range(x.shape[0]):
        for start in range(0, out.shape[1], tile):
            stop = min(start + tile, out.shape[1])
            window, part = x[r, start : stop + period - 1], out[r, start:stop]
            variance_run(window, period, PLAIN, 1.0, t[5, : part.size], part, t)


def variance(x: Array, period: int) -> Array:
    """Return population variances of windows."""
    out = _outputs(x, period)
    _variance(np.ascontiguousarray(x), period, out, tiles(period - 1, 6))
    return out


@compiled
def _deviation(x: Any, period: int, mean: Any, out: Any) -> None:
    rows, n = mean.shape
    for r in range(rows):
        row, middle, part = x[r], mean[r], out[r]
        for start in range(0, n, 512):
            m = min(512, n - start)
            to, around = part[start : start + m], middle[start : start + m]
            for i in range(m):
                around[i] /= period
                to[i] = 0.0
            for k in range(period):
                ahead = row[start + k : start + k + m]
                for i in range(m):
                    to[i] += abs(ahead[i] - around[i])
            for i in range(m):
                to[i] /= period


def deviation(x: Array, period: int) -> Array:
    """Return the mean absolute distances of windows from their means."""
    out, mean = _outputs(x, period), total(x, period)
    _deviation(np.ascontiguousarray(x), period, mean, out)
    return out


@compiled
def _since(x: Any, sign: float, period: int, out: Any) -> None:
    """Write the bars since the largest of sign * x: look again only when it leaves the window."""
    rows, n = out.shape
    for r in range(rows):
        row, part = x[r], out[r]
        best, at = row[0] * sign, 0
        for i in range(1, period):
            if row[i] * sign >= best:
                best, at = row[i] * sign, i
        part[0] = period - 1 - at
        for i in range(1, n):
            end = i + period - 1
            value = row[end] * sign
            if value >= best:
                best, at = value, end
            elif at < i:
                best, at = row[i] * sign, i
                for k in range(i + 1, end + 1):
                    value = row[k] * sign
                    if value >= best:
                        best, at = value, k
            part[i] = end - at


def bars_since_high(x: Array, period: int) -> Array:
    """Return the bars since the maxima of windows."""
    out = _outputs(x, period)
    _since(np.ascontiguousarray(x), 1.0, period, out)
    return out


def bars_since_low(x: Array, period: int) -> Array:
    """Return the bars since the minima of windows."""
    out = _outputs(x, period)
    _since(np.ascontiguousarray(x), -1.0, period, out)
    return out


@compiled
def _scan(x: Any, keep: float, gain: float, carry: Any, fade: Any, out: Any) -> None:
    for r in range(x.shape[0]):
        carry[r] = scan_run(x[r], keep, gain, carry[r], fade, out[r])


def scan(x: Array, keep: float, gain: float, carry: Any) -> Array:
    """Calculate y[i] = keep * y[i-1] + gain * x[i] from `carry`, which is left at the last y."""
    out = np.empty(x.shape)
    _scan(np.ascontiguousarray(x), keep, gain, carry, powers(keep), out)
    return out


_follow_step = compiled(MACHINES["follow"][0])
_parabolic_step = compiled(MACHINES["parabolic"][0])
_anchored_step = compiled(MACHINES["anchored"][0])
_trail_step = compiled(MACHINES["trail"][0])


@compiled
def _signs(x: Any, before: Any, out: Any) -> None:
    for r in range(x.shape[0]):
        first = x[r, 0]
        out[r, 0] = 1.0 if first > before[r] else -1.0 if first < before[r] else 0.0
        now, last, to = x[r, 1:], x[r, :-1], out[r, 1:]
        for i in range(to.size):
            to[i] = 1.0 if now[i] > last[i] else -1.0 if now[i] < last[i] else 0.0


def signs(x: Array, before: Any) -> Array:
    """Return 1 for up, -1 for down, 0 for flat, from the values before the first."""
    out = np.empty(x.shape)
    _signs(np.ascontiguousarray(x), before, out)
    return out


@compiled
def _follow(x: Any, y: Any, z: Any, a: float, b: float, states: Any, out: Any) -> None:
    for r in range(x.shape[0]):
        state = (states[r, 0], states[r, 1])
        for i in range(x.shape[1]):
            state, shown = _follow_step(state, x[r, i], y[r, i], z[r, i], a, b)
            out[0, r, i] = shown[0]
        states[r, 0], states[r, 1] = state


@compiled
def _parabolic(x: Any, y: Any, z: Any, a: float, b: float, states: Any, out: Any) -> None:
    for r in range(x.shape[0]):
        s = states[r]
        state = (s[0], s[1], s[2], s[3], s[4], s[5], s[6])
        for i in range(x.shape[1]):
            state, shown = _parabolic_step(state, x[r, i], y[r, i], z[r, i], a, b)
            out[0, r, i] = shown[0]
        s[0], s[1], s[2], s[3], s[4], s[5], s[6] = state


@compiled
def _trail(x: Any, y: Any, z: Any, start: float, b: float, states: Any, out: Any) -> None:
    for r in range(x.shape[0]):
        s = states[r]
        state = (s[0], s[1], s[2], s[3], s[4])
        for i in range(x.shape[1]):
            state, shown = _trail_step(state, x[r, i], y[r, i], z[r, i], start, b)
            out[0, r, i], out[1, r, i] = shown
        s[0], s[1], s[2], s[3], s[4] = state


@compiled
def _anchored(x: Any, y: Any, z: Any, a: float, b: float, states: Any, out: Any) -> None:
    for r in range(x.shape[0]):
        s = states[r]
        state = (s[0], s[1], s[2], s[3])
        for i in range(x.shape[1]):
            state, shown = _anchored_step(state, x[r, i], y[r, i], z[r, i], a, b)
            out[0, r, i] = shown[0]
        s[0], s[1], s[2], s[3] = state


_LOOPS = {"anchored": _anchored, "follow": _follow, "parabolic": _parabolic, "trail": _trail}


def machine(
    name: str, blocks: Sequence[Array], a: float, b: float, states: Array, out: Array
) -> None:
    """Run a state machine over every row."""
    _LOOPS[name](*(np.ascontiguousarray(x) for x in blocks), a, b, states, out)
