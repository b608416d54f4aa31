"""Whole indicators as one compiled loop each, for the ones that are asked for most.

A row is taken a tile at a time, so that everything between input and output stays in the first cache.
They are used where all bars are finite; a row where one is not goes through the formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._kernels_numba import (
    TILE,
    compiled,
    finite_run,
    highest_run,
    lowest_run,
    powers,
    scan_run,
    total_run,
    variance_run,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# Bars of a step of a recurrence: whole groups of its eight scans.
STEP = 1024


def run(name: str, given: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """Calculate rows with the parameters `given`; which of them were finite."""
    fine = np.ones(len(inputs[0]), dtype=np.bool_)
    _NATIVE[name](given, inputs, outputs, fine)
    return fine


@compiled
def _momentum(x: Any, period: int, relative: bool, out: Any, fine: Any) -> None:
    bars = x.shape[1]
    for r in range(x.shape[0]):
        out[r, :period] = np.nan
        fine[r] = finite_run(x[r, :period])
        for start in range(period, bars, STEP):
            stop = min(start + STEP, bars)
            now, before = x[r, start:stop], x[r, start - period : stop - period]
            if not finite_run(now):
                fine[r] = False
                break
            part = out[r, start:stop]
            if relative:
                for i in range(part.size):
                    quotient = now[i] / before[i]
                    part[i] = (quotient - 1.0) * 100.0 if before[i] != 0.0 else 0.0
            else:
                for i in range(part.size):
                    part[i] = now[i] - before[i]


@compiled
def _true_range(high: Any, low: Any, close: Any, out: Any, fine: Any) -> None:
    bars = high.shape[1]
    for r in range(high.shape[0]):
        out[r, 0] = np.nan
        fine[r] = finite_run(high[r, :1]) and finite_run(low[r, :1]) and finite_run(close[r, :1])
        for start in range(1, bars, STEP):
            stop = min(start + STEP, bars)
            hi, lo = high[r, start:stop], low[r, start:stop]
            if not (finite_run(hi) and finite_run(lo) and finite_run(close[r, start:stop])):
                fine[r] = False
                break
            _true_ranges(hi, lo, close[r, start - 1 : stop - 1], out[r, start:stop])


@compiled
def _williams(high: Any, low: Any, close: Any, period: int, out: Any, fine: Any, t: Any) -> None:
    bars, lookback = high.shape[1], period - 1
    tile = t.shape[1] - lookback
    for r in range(high.shape[0]):
        out[r, :lookback] = np.nan
        fine[r] = finite_run(close[r, :lookback])
        for start in range(0, bars - lookback, tile):
            end = min(start + tile, bars - lookback) + lookback
            hi, lo, now = high[r, start:end], low[r, start:end], close[r, start + lookback : end]
            if not (finite_run(hi) and finite_run(lo) and finite_run(now)):
                fine[r] = False
                break
            n = now.size
            top, part = t[2, :n], out[r, start + lookback : end]
            highest_run(hi, period, top, t[0], t[1])
            lowest_run(lo, period, part, t[0], t[1])
            for i in range(n):
                span = top[i] - part[i]
                share = (top[i] - now[i]) / span
                part[i] = -100.0 * share if span != 0.0 else 0.0


@compiled
def _macd(
    x: Any, fast: int, slow: int, signal: int, fades: Any, line: Any, average: Any, away: Any,
    fine: Any,
) -> None:  # fmt: skip
    bars, lookback = x.shape[1], slow + signal - 2
    a, b, c = 2.0 / (fast + 1), 2.0 / (slow + 1), 2.0 / (signal + 1)
    quick, calm = np.empty(STEP), np.empty(STEP)
    for r in range(x.shape[0]):
        row = x[r]
        fine[r] = finite_run(row[:slow])
        p = q = s = 0.0
        for i in range(slow):
            q += row[i]
        for i in range(slow - fast, slow):
            p += row[i]
        p, q = p / fast, q / slow
        line[r, slow - 1] = p - q
        # To the last bar of the signal's seed, then a step at a time.
        start = slow
        if signal == 1:
            s = p - q
            average[r, slow - 1] = s
            away[r, slow - 1] = 0.0
        while start < bars:
            stop = lookback + 1 if start <= lookback else start + STEP
            stop = min(stop, bars, start + STEP)
            part, m = row[start:stop], stop - start
            if not finite_run(part):
                fine[r] = False
                break
            p = scan_run(part, 1.0 - a, a, p, fades[0], quick[:m])
            q = scan_run(part, 1.0 - b, b, q, fades[1], calm[:m])
            to = line[r, start:stop]
            for i in range(m):
                to[i] = quick[i] - calm[i]
            if start <= lookback:
                if stop == lookback + 1:
                    for i in range(slow - 1, stop):
                        s += line[r, i]
                    s /= signal
                    average[r, lookback] = s
                    away[r, lookback] = line[r, lookback] - s
            else:
                s = scan_run(to, 1.0 - c, c, s, fades[2], average[r, start:stop])
                mean, rest = average[r, start:stop], away[r, start:stop]
                for i in range(m):
                    rest[i] = to[i] - mean[i]
            start = stop
        line[r, :lookback] = np.nan
        average[r, :lookback] = np.nan
        away[r, :lookback] = np.nan


@compiled
def _sma(x: Any, period: int, out: Any, fine: Any, one: Any, two: Any) -> None:
    tile, bars, share = one.size - period + 1, x.shape[1], 1.0 / period
    for r in range(x.shape[0]):
        row = out[r]
        row[: period - 1] = np.nan
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            window = x[r, start : stop + period - 1]
            if not finite_run(window):
                fine[r] = False
                break
            part = row[start + period - 1 : stop + period - 1]
            total_run(window, period, part, one, two)
            for i in range(part.size):
                part[i] *= share


@compiled
def _extreme(x: Any, period: int, top: bool, out: Any, fine: Any, one: Any, two: Any) -> None:
    tile, bars = one.size - period + 1, x.shape[1]
    for r in range(x.shape[0]):
        row = out[r]
        row[: period - 1] = np.nan
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            window = x[r, start : stop + period - 1]
            if not finite_run(window):
                fine[r] = False
                break
            part = row[start + period - 1 : stop + period - 1]
            if top:
                highest_run(window, period, part, one, two)
            else:
                lowest_run(window, period, part, one, two)


@compiled
def _bollinger(
    x: Any, period: int, width: float, upper: Any, middle: Any, lower: Any, fine: Any, t: Any
) -> None:
    tile, bars, share = t.shape[1] - period + 1, x.shape[1], 1.0 / period
    for r in range(x.shape[0]):
        a, b, c = upper[r], middle[r], lower[r]
        a[: period - 1] = np.nan
        b[: period - 1] = np.nan
        c[: period - 1] = np.nan
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            window = x[r, start : stop + period - 1]
            if not finite_run(window):
                fine[r] = False
                break
            first, last = start + period - 1, stop + period - 1
            up, mid, low = a[first:last], b[first:last], c[first:last]
            total_run(window, period, mid, t[0], t[1])
            variance_run(window, period, low, t)
            for i in range(mid.size):
                mid[i] *= share
                away = width * np.sqrt(low[i])
                up[i] = mid[i] + away
                low[i] = mid[i] - away


@compiled
def _stddev(x: Any, period: int, width: float, out: Any, fine: Any, t: Any) -> None:
    tile, bars = t.shape[1] - period + 1, x.shape[1]
    for r in range(x.shape[0]):
        row = out[r]
        row[: period - 1] = np.nan
        for start in range(0, bars - period + 1, tile):
            stop = min(start + tile, bars - period + 1)
            window = x[r, start : stop + period - 1]
            if not finite_run(window):
                fine[r] = False
                break
            part = row[start + period - 1 : stop + period - 1]
            variance_run(window, period, part, t)
            for i in range(part.size):
                part[i] = width * np.sqrt(part[i])


@compiled
def _ema(x: Any, keep: float, gain: float, period: int, fade: Any, out: Any, fine: Any) -> None:
    bars = x.shape[1]
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        to[: period - 1] = np.nan
        fine[r] = finite_run(row[:period])
        y = 0.0
        for i in range(period):
            y += row[i]
        y = y / period
        to[period - 1] = y
        for start in range(period, bars, STEP):
            stop = min(start + STEP, bars)
            if not finite_run(row[start:stop]):
                fine[r] = False
                break
            y = scan_run(row[start:stop], keep, gain, y, fade, to[start:stop])


@compiled
def _rsi(x: Any, period: int, flat: float, fade: Any, out: Any, fine: Any) -> None:
    bars = x.shape[1]
    keep, gain = (period - 1) / period, 1.0 / period
    up, down = np.empty(STEP), np.empty(STEP)
    ups, downs = np.empty(STEP), np.empty(STEP)
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        to[:period] = np.nan
        fine[r] = finite_run(row[: period + 1])
        u = d = 0.0
        for i in range(1, period + 1):
            move = row[i] - row[i - 1]
            u += max(move, 0.0)
            d += max(-move, 0.0)
        u, d = u / period, d / period
        to[period] = 100.0 * (u / (u + d)) if u + d != 0.0 else flat
        for start in range(period + 1, bars, STEP):
            m = min(STEP, bars - start)
            now, before = row[start : start + m], row[start - 1 : start - 1 + m]
            if not finite_run(now):
                fine[r] = False
                break
            for i in range(m):
                move = now[i] - before[i]
                up[i] = max(0.0, move)
                down[i] = 0.0 if move > 0.0 else -move
            u = scan_run(up[:m], keep, gain, u, fade, ups[:m])
            d = scan_run(down[:m], keep, gain, d, fade, downs[:m])
            part = to[start : start + m]
            for i in range(m):
                way = ups[i] + downs[i]
                share = ups[i] / way
                part[i] = 100.0 * share if way != 0.0 else flat


@compiled
def _true_ranges(high: Any, low: Any, before: Any, out: Any) -> None:
    for i in range(out.size):
        top = max(before[i], high[i])
        floor = min(before[i], low[i])
        out[i] = top - floor


@compiled
def _atr(
    high: Any, low: Any, close: Any, period: int, relative: bool, fade: Any, out: Any, fine: Any
) -> None:
    bars = high.shape[1]
    keep, gain = (period - 1) / period, 1.0 / period
    span = np.empty(max(STEP, period))
    for r in range(high.shape[0]):
        to, c = out[r], close[r]
        to[:period] = np.nan
        first = slice(1, period + 1)
        fine[r] = (
            finite_run(high[r, : period + 1])
            and finite_run(low[r, : period + 1])
            and finite_run(c[: period + 1])
        )
        _true_ranges(high[r, first], low[r, first], c[:period], span[:period])
        y = 0.0
        for i in range(period):
            y += span[i]
        y = y / period
        to[period] = y
        for start in range(period + 1, bars, STEP):
            stop = min(start + STEP, bars)
            m = stop - start
            hi, lo, now = high[r, start:stop], low[r, start:stop], c[start:stop]
            if not (finite_run(hi) and finite_run(lo) and finite_run(now)):
                fine[r] = False
                break
            _true_ranges(hi, lo, c[start - 1 : stop - 1], span[:m])
            y = scan_run(span[:m], keep, gain, y, fade, to[start:stop])
        if relative:
            for i in range(period, bars):
                to[i] = 100.0 * (to[i] / c[i]) if c[i] != 0.0 else 0.0


@compiled
def _moves(hi: Any, high_1: Any, lo: Any, low_1: Any, plus: Any, minus: Any) -> None:
    for i in range(plus.size):
        up, down = hi[i] - high_1[i], low_1[i] - lo[i]
        plus[i] = up if up > down and up > 0.0 else 0.0
        minus[i] = down if down > up and down > 0.0 else 0.0


@compiled
def _adx(
    high: Any, low: Any, close: Any, period: int, fade: Any, adx: Any, di_up: Any, di_down: Any,
    fine: Any, t: Any,
) -> None:  # fmt: skip
    bars = high.shape[1]
    keep, gain = (period - 1) / period, 1.0 / period
    for r in range(high.shape[0]):
        to, ups, downs = adx[r], di_up[r], di_down[r]
        to[: 2 * period - 1] = np.nan
        span = plus = minus = y = 0.0
        fine[r] = finite_run(high[r, :1]) and finite_run(low[r, :1]) and finite_run(close[r, :1])
        # The first p - 1 bars fill the sums, the next p the mean; from there on a step at a time.
        start = 1
        while start < bars:
            if start < period:
                stop = period
            elif start < 2 * period:
                stop = 2 * period
            else:
                stop = start + STEP
            stop = min(stop, bars, start + STEP)
            m = stop - start
            hi, lo, c = high[r, start:stop], low[r, start:stop], close[r, start:stop]
            high_1, low_1 = high[r, start - 1 : stop - 1], low[r, start - 1 : stop - 1]
            if not (finite_run(hi) and finite_run(lo) and finite_run(c)):
                fine[r] = False
                break
            a, b, s, dx = t[0, :m], t[1, :m], t[2, :m], t[3, :m]
            _moves(hi, high_1, lo, low_1, a, b)
            _true_ranges(hi, lo, close[r, start - 1 : stop - 1], s)
            if start < period:
                for i in range(m):
                    span += s[i]
                    plus += a[i]
                    minus += b[i]
                start = stop
                continue
            sums, up, down = t[4, :m], ups[start:stop], downs[start:stop]
            span = scan_run(s, keep, 1.0, span, fade, sums)
            plus = scan_run(a, keep, 1.0, plus, fade, up)
            minus = scan_run(b, keep, 1.0, minus, fade, down)
            for i in range(m):
                unit = 100.0 / sums[i] if sums[i] != 0.0 else 0.0
                both = up[i] + down[i]
                away = 100.0 * abs(up[i] - down[i]) / both
                dx[i] = away if both != 0.0 and sums[i] != 0.0 else 0.0
                up[i] *= unit
                down[i] *= unit
            if start < 2 * period:
                for i in range(m):
                    y += dx[i]
                if stop == 2 * period:
                    y = y / period
                    to[2 * period - 1] = y
            else:
                y = scan_run(dx, keep, gain, y, fade, to[start:stop])
            start = stop
        ups[: 2 * period - 1] = np.nan
        downs[: 2 * period - 1] = np.nan


@compiled
def _stochastic(
    high: Any, low: Any, close: Any, k: int, slowing: int, d: int, slow: Any, signal: Any,
    fine: Any, t: Any,
) -> None:  # fmt: skip
    bars = high.shape[1]
    lookback = k + slowing + d - 3
    tile = t.shape[1] - lookback
    for r in range(high.shape[0]):
        slow[r, :lookback] = np.nan
        signal[r, :lookback] = np.nan
        for start in range(0, bars - lookback, tile):
            stop = min(start + tile, bars - lookback)
            # All windows start at `start`; those of the later averages are shorter.
            end = stop + lookback
            hi, lo, c = high[r, start:end], low[r, start:end], close[r, start + k - 1 : end]
            if not (finite_run(hi) and finite_run(lo) and finite_run(close[r, start:end])):
                fine[r] = False
                break
            n = c.size
            top, floor = t[2, :n], t[3, :n]
            highest_run(hi, k, top, t[0], t[1])
            lowest_run(lo, k, floor, t[0], t[1])
            for i in range(n):
                span = top[i] - floor[i]
                share = 100.0 * ((c[i] - floor[i]) / span)
                top[i] = share if span != 0.0 else 0.0
            n -= slowing - 1
            total_run(top, slowing, floor[:n], t[0], t[1])
            for i in range(n):
                floor[i] /= slowing
            m = stop - start
            part = signal[r, start + lookback : end]
            total_run(floor[:n], d, part, t[0], t[1])
            shown = slow[r, start + lookback : end]
            for i in range(m):
                part[i] /= d
                shown[i] = floor[i + d - 1]


def _tile(lookback: int, rows: int) -> Any:
    return np.empty((rows, max(TILE, lookback) + lookback))


def _run_sma(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _sma(*inputs, given[0], *outputs, fine, *_tile(given[0] - 1, 2))


def _run_max(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _extreme(*inputs, given[0], True, *outputs, fine, *_tile(given[0] - 1, 2))  # noqa: FBT003


def _run_min(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _extreme(*inputs, given[0], False, *outputs, fine, *_tile(given[0] - 1, 2))  # noqa: FBT003


def _run_bollinger(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _bollinger(*inputs, *given, *outputs, fine, _tile(given[0] - 1, 5))


def _run_stddev(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _stddev(*inputs, *given, *outputs, fine, _tile(given[0] - 1, 5))


def _run_ema(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    gain = 2.0 / (given[0] + 1)
    _ema(*inputs, 1.0 - gain, gain, given[0], powers(1.0 - gain), *outputs, fine)


def _run_rma(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _ema(*inputs, keep, 1.0 / given[0], given[0], powers(keep), *outputs, fine)


def _run_rsi(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _rsi(*inputs, *given, powers((given[0] - 1) / given[0]), *outputs, fine)


def _run_atr(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _atr(*inputs, given[0], False, powers(keep), *outputs, fine)  # noqa: FBT003


def _run_natr(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _atr(*inputs, given[0], True, powers(keep), *outputs, fine)  # noqa: FBT003


def _run_adx(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    keep = (given[0] - 1) / given[0]
    _adx(*inputs, given[0], powers(keep), *outputs, fine, np.empty((5, STEP)))


def _run_stochastic(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _stochastic(*inputs, *given, *outputs, fine, _tile(sum(given) - 3, 4))


def _run_momentum(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _momentum(*inputs, given[0], False, *outputs, fine)  # noqa: FBT003


def _run_roc(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _momentum(*inputs, given[0], True, *outputs, fine)  # noqa: FBT003


def _run_true_range(_given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _true_range(*inputs, *outputs, fine)


def _run_williams(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _williams(*inputs, given[0], *outputs, fine, _tile(given[0] - 1, 3))


def _run_macd(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    fades = np.array([powers(1.0 - 2.0 / (period + 1)) for period in given])
    _macd(*inputs, *given, fades, *outputs, fine)


_NATIVE = {
    "ADX": _run_adx,
    "ATR": _run_atr,
    "BollingerBands": _run_bollinger,
    "EMA": _run_ema,
    "MACD": _run_macd,
    "Max": _run_max,
    "Min": _run_min,
    "Momentum": _run_momentum,
    "NATR": _run_natr,
    "RMA": _run_rma,
    "ROC": _run_roc,
    "RSI": _run_rsi,
    "SMA": _run_sma,
    "StdDev": _run_stddev,
    "Stochastic": _run_stochastic,
    "TrueRange": _run_true_range,
    "WilliamsR": _run_williams,
}
