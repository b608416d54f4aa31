"""The operations over blocks of rows x bars, compiled by numba (extra `[fast]`).

The loops are written so that LLVM makes vector code of them: windows by doubling runs in a tile that
stays in the first cache, recurrences as eight scans side by side. As with numpy's kernels, the order of
operations at a bar depends on neither the number of rows nor the number of bars.

Outputs are allocated here, outside the compiled code. The compiled code is kept on disk: beside this
file, or where NUMBA_CACHE_DIR points.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from ._kernels_numpy import lag as lag  # noqa: PLC0414 - part of this module's set
from ._machines import MACHINES
from ._streams import CANCELLED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Array = np.ndarray[tuple[int, int], np.dtype[np.float64]]

# Whether some indicators have loops of their own.
NATIVE = True
# Bars of a tile, and bars of one of the eight scans.
TILE = 1024
_LANE = 64

_jit: Any = njit(cache=True, nogil=True, error_model="numpy", boundscheck=False)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, made when it is first called."""
    found: Callable[..., Any] = _jit(function)
    return found


class _Alias:
    """The memory of an array, seen as writable."""

    def __init__(self, array: Array) -> None:
        self.array = array
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}


def ready(x: Array) -> Array:
    """The input as numba's one kind of array.

    Read-only arrays are a type of their own to numba, for which everything would be compiled again;
    the loops do not write to inputs.
    """
    return x if x.flags.writeable else np.asarray(_Alias(x))


@compiled
def finite_run(part: Any) -> bool:
    """Whether no value of a contiguous run is NaN or infinite."""
    bad = 0
    for i in range(part.size):
        # NaN and infinities times zero are NaN, and only NaN differs from itself.
        bad += part[i] * 0.0 != 0.0
    return bad == 0


@compiled
def _finite(x: Any) -> bool:
    bad = 0
    for r in range(x.shape[0]):
        bad += not finite_run(x[r])
    return bad == 0


def all_finite(blocks: Sequence[Array]) -> bool:
    """Whether no value is NaN or infinite."""
    return all(_finite(block) for block in blocks)


# In the passes below every array is cut to one length first: only then does LLVM make vector code.


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
def _highest_of(run: Any, first: int, second: int, third: int, to: Any) -> None:
    n = to.size
    a, b = run[:n], run[first : first + n]
    c, d = run[second : second + n], run[third : third + n]
    for i in range(n):
        p = max(a[i], b[i])
        q = max(c[i], d[i])
        to[i] = max(p, q)


@compiled
def _lowest_of(run: Any, first: int, second: int, third: int, to: Any) -> None:
    n = to.size
    a, b = run[:n], run[first : first + n]
    c, d = run[second : second + n], run[third : third + n]
    for i in range(n):
        p = min(a[i], b[i])
        q = min(c[i], d[i])
        to[i] = min(p, q)


@compiled
def highest_run(row: Any, period: int, part: Any, one: Any, two: Any) -> None:
    """Maxima of the windows that start at each value."""
    width = row.size
    run, to, other = row, one, two
    length = 1
    while 4 * length <= period:
        width -= 3 * length
        _highest_of(run, length, 2 * length, 3 * length, to[:width])
        run = to
        to, other = other, to
        length *= 4
    last = period - length
    _highest_of(run, min(length, last), min(2 * length, last), last, part)


@compiled
def lowest_run(row: Any, period: int, part: Any, one: Any, two: Any) -> None:
    """Minima of the windows that start at each value."""
    width = row.size
    run, to, other = row, one, two
    length = 1
    while 4 * length <= period:
        width -= 3 * length
        _lowest_of(run, length, 2 * length, 3 * length, to[:width])
        run = to
        to, other = other, to
        length *= 4
    last = period - length
    _lowest_of(run, min(length, last), min(2 * length, last), last, part)


@compiled
def _total(x: Any, period: int, out: Any, one: Any, two: Any) -> None:
    tile = one.size - period + 1
    for r in range(x.shape[0]):
        for start in range(0, out.shape[1], tile):
            stop = min(start + tile, out.shape[1])
            total_run(x[r, start : stop + period - 1], period, out[r, start:stop], one, two)


@compiled
def _highest(x: Any, period: int, out: Any, one: Any, two: Any) -> None:
    tile = one.size - period + 1
    for r in range(x.shape[0]):
        for start in range(0, out.shape[1], tile):
            stop = min(start + tile, out.shape[1])
            highest_run(x[r, start : stop + period - 1], period, out[r, start:stop], one, two)


@compiled
def _lowest(x: Any, period: int, out: Any, one: Any, two: Any) -> None:
    tile = one.size - period + 1
    for r in range(x.shape[0]):
        for start in range(0, out.shape[1], tile):
            stop = min(start + tile, out.shape[1])
            lowest_run(x[r, start : stop + period - 1], period, out[r, start:stop], one, two)


def _outputs(x: Array, period: int) -> Array:
    return np.empty((x.shape[0], x.shape[1] - period + 1))


def tiles(period: int, count: int) -> tuple[Any, ...]:
    return tuple(np.empty(max(TILE, period) + period - 1) for _ in range(count))


def total(x: Array, period: int) -> Array:
    """Sums of windows."""
    out = _outputs(x, period)
    _total(np.ascontiguousarray(x), period, out, *tiles(period, 2))
    return out


def highest(x: Array, period: int) -> Array:
    """Maxima of windows."""
    out = _outputs(x, period)
    _highest(np.ascontiguousarray(x), period, out, *tiles(period, 2))
    return out


def lowest(x: Array, period: int) -> Array:
    """Minima of windows."""
    out = _outputs(x, period)
    _lowest(np.ascontiguousarray(x), period, out, *tiles(period, 2))
    return out


@compiled
def _weighted(x: Any, period: int, out: Any, t: Any) -> None:
    """Weighted sums: (sum, weighted sum) of runs, joined by doubling."""
    rows, bars = x.shape
    n = bars - period + 1
    tile = t.shape[1] - period + 1
    for r in range(rows):
        for start in range(0, n, tile):
            m = min(tile, n - start)
            width = m + period - 1
            s, w = x[r, start : start + width], x[r, start : start + width]
            s_to, w_to, s_other, w_other = t[0], t[1], t[2], t[3]
            part, older = out[r, start : start + m], t[4]
            length, done = 1, 0
            while True:
                if period & length:
                    s_new, w_new = s[done : done + m], w[done : done + m]
                    if done == 0:
                        for i in range(m):
                            part[i] = w_new[i]
                            older[i] = s_new[i]
                    else:
                        for i in range(m):
                            part[i] += w_new[i] + done * s_new[i]
                    done += length
                    if done == period:
                        break
                width -= length
                s_new, w_new = s[length : length + width], w[length : length + width]
                for i in range(width):
                    w_to[i] = w[i] + (w_new[i] + length * s_new[i])
                for i in range(width):
                    s_to[i] = s[i] + s_new[i]
                s, w = s_to, w_to
                s_to, w_to, s_other, w_other = s_other, w_other, s_to, w_to
                length *= 2


def weighted(x: Array, period: int) -> Array:
    """Sums of windows, weighted 1 .. period."""
    out = _outputs(x, period)
    _weighted(np.ascontiguousarray(x), period, out, np.empty((5, max(TILE, period) + period - 1)))
    return out


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


@compiled
def _variance(x: Any, period: int, out: Any, t: Any) -> None:
    tile = t.shape[1] - period + 1
    for r in range(x.shape[0]):
        for start in range(0, out.shape[1], tile):
            stop = min(start + tile, out.shape[1])
            variance_run(x[r, start : stop + period - 1], period, out[r, start:stop], t)


def variance(x: Array, period: int) -> Array:
    """Population variances of windows."""
    out = _outputs(x, period)
    _variance(np.ascontiguousarray(x), period, out, np.empty((5, max(TILE, period) + period - 1)))
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
    """Mean absolute distances of windows from their means."""
    out, mean = _outputs(x, period), total(x, period)
    _deviation(np.ascontiguousarray(x), period, mean, out)
    return out


@compiled
def _since(x: Any, sign: float, period: int, out: Any) -> None:
    """Bars since the largest of sign * x: look again only when it leaves the window."""
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
    """Bars since the maxima of windows."""
    out = _outputs(x, period)
    _since(np.ascontiguousarray(x), 1.0, period, out)
    return out


def bars_since_low(x: Array, period: int) -> Array:
    """Bars since the minima of windows."""
    out = _outputs(x, period)
    _since(np.ascontiguousarray(x), -1.0, period, out)
    return out


@lru_cache(maxsize=256)
def powers(keep: float) -> Any:
    return keep ** np.arange(1.0, _LANE + 1)


@compiled
def scan_run(x: Any, keep: float, gain: float, carry: float, fade: Any, out: Any) -> float:
    """Eight scans from zero side by side; then each gets what the ones before it left."""
    n = x.size
    lane = fade.size
    i = 0
    while i + 8 * lane <= n:
        x0, x1 = x[i : i + lane], x[i + lane : i + 2 * lane]
        x2, x3 = x[i + 2 * lane : i + 3 * lane], x[i + 3 * lane : i + 4 * lane]
        x4, x5 = x[i + 4 * lane : i + 5 * lane], x[i + 5 * lane : i + 6 * lane]
        x6, x7 = x[i + 6 * lane : i + 7 * lane], x[i + 7 * lane : i + 8 * lane]
        y0, y1 = out[i : i + lane], out[i + lane : i + 2 * lane]
        y2, y3 = out[i + 2 * lane : i + 3 * lane], out[i + 3 * lane : i + 4 * lane]
        y4, y5 = out[i + 4 * lane : i + 5 * lane], out[i + 5 * lane : i + 6 * lane]
        y6, y7 = out[i + 6 * lane : i + 7 * lane], out[i + 7 * lane : i + 8 * lane]
        a = b = c = d = e = f = g = h = 0.0
        for j in range(lane):
            a = keep * a + x0[j]
            b = keep * b + x1[j]
            c = keep * c + x2[j]
            d = keep * d + x3[j]
            e = keep * e + x4[j]
            f = keep * f + x5[j]
            g = keep * g + x6[j]
            h = keep * h + x7[j]
            y0[j], y1[j], y2[j], y3[j] = a, b, c, d
            y4[j], y5[j], y6[j], y7[j] = e, f, g, h
        for k in range(8):
            y = out[i + k * lane : i + (k + 1) * lane]
            for j in range(lane):
                y[j] = gain * y[j] + fade[j] * carry
            carry = y[lane - 1]
        i += 8 * lane
    while i < n:
        m = min(lane, n - i)
        a = 0.0
        for j in range(m):
            a = keep * a + x[i + j]
            out[i + j] = a
        for j in range(m):
            out[i + j] = gain * out[i + j] + fade[j] * carry
        carry = out[i + m - 1]
        i += m
    return carry


@compiled
def _scan(x: Any, keep: float, gain: float, carry: Any, fade: Any, out: Any) -> None:
    for r in range(x.shape[0]):
        carry[r] = scan_run(x[r], keep, gain, carry[r], fade, out[r])


def scan(x: Array, keep: float, gain: float, carry: Any) -> Array:
    """y[i] = keep * y[i-1] + gain * x[i] from `carry`, which is left at the last y."""
    out = np.empty(x.shape)
    _scan(np.ascontiguousarray(x), keep, gain, carry, powers(keep), out)
    return out


_follow_step = compiled(MACHINES["follow"][0])
_parabolic_step = compiled(MACHINES["parabolic"][0])
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
    """1 up, -1 down, 0 flat, from the values before the first."""
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
def _trail(x: Any, y: Any, z: Any, a: float, b: float, states: Any, out: Any) -> None:
    for r in range(x.shape[0]):
        s = states[r]
        state = (s[0], s[1], s[2], s[3], s[4])
        for i in range(x.shape[1]):
            state, shown = _trail_step(state, x[r, i], y[r, i], z[r, i], a, b)
            out[0, r, i], out[1, r, i] = shown
        s[0], s[1], s[2], s[3], s[4] = state


_LOOPS = {"follow": _follow, "parabolic": _parabolic, "trail": _trail}


def machine(
    name: str, blocks: Sequence[Array], a: float, b: float, states: Array, out: Array
) -> None:
    """Run a state machine over every row."""
    _LOOPS[name](*(np.ascontiguousarray(x) for x in blocks), a, b, states, out)
