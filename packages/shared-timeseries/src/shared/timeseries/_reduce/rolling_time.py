"""Statistics of sliding lengths of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import refuse

from .._data.columns import Line, is_sorted
from .._kernels.moments import BLOCK
from .._kernels.runs import quantile_of
from .._time.sizes import read_size
from .._time.timeform import NAT, read_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._time.types import Float64s, Int64s


def read_reach(window: Any, unit: str) -> int:
    """Read the length of a window as nanoseconds; a day has 24 hours here, as in pandas."""
    step = read_size(window, "window", unit)
    if step.months:
        raise refuse("window", "of a fixed length", window)
    return step.ns + step.days * 86_400 * 10**9


def times_of(values: Any, times: Any, unit: str) -> Int64s:
    """Return the times of values: as given, of a `TimeSeries`, or the index of a pandas Series."""
    if times is None and isinstance(values, Line):
        return values.times
    if times is None and hasattr(values, "iloc"):
        times = values.index
    if times is None:
        raise TypeError("times must be given for a window of time, or values with times")
    ns, _ = read_times(times, "times", unit)
    if len(ns) != len(values):
        raise ValueError(f"times must be as many as values, not {len(ns)} for {len(values)}")
    if len(ns) and ((ns == NAT).any() or not is_sorted(ns)):
        raise ValueError("times must be ascending, without a missing one")
    return ns


def starts_of(ns: Int64s, reach: int) -> Int64s:
    """Return the first position of each window `(time - reach, time]`."""
    return np.searchsorted(ns, ns - reach, side="right")


def even_count(starts: Int64s) -> int:
    """Return of how many values all windows are but for the first ones; 0 if they differ."""
    ends = np.arange(1, len(starts) + 1)
    count = int((ends - starts).max(initial=0))
    return count if np.array_equal(starts, np.maximum(ends - count, 0)) else 0


def roll_spans(
    values: Float64s,
    starts: Int64s,
    stat: str,
    least: int,
    quantile: Callable[[Float64s, float], Float64s],
) -> Float64s:
    """Return a statistic of the windows from some positions to each value, laid out in blocks."""
    out = np.empty(len(values))
    begin = 0
    while begin < len(values):
        # As many rows as fit the cache at the width of the first; the longest decides their width.
        rows = max(1, BLOCK // int(begin + 1 - starts[begin]))
        stops = np.arange(begin + 1, min(begin + rows, len(values)) + 1)
        first = starts[begin : begin + rows]
        at = first[:, None] + np.arange(int((stops - first).max()))
        block = np.where(at < stops[:, None], values[np.minimum(at, len(values) - 1)], np.nan)
        some = slice(begin, begin + len(stops))
        out[some] = _of_rows(block, values[some], stat, least, quantile)
        begin += len(stops)
    return out


def _of_rows(
    block: Float64s,
    last: Float64s,
    stat: str,
    least: int,
    quantile: Callable[[Float64s, float], Float64s],
) -> Float64s:
    known = ~np.isnan(block)
    counts = known.sum(axis=1).astype(np.float64)
    found = counts
    if stat in {"min", "max"}:
        edge, kernel = (np.inf, np.minimum) if stat == "min" else (-np.inf, np.maximum)
        found = kernel.reduce(np.where(known, block, edge), axis=1)
    elif stat in {"sum", "mean", "std", "zscore"}:
        found = _moments(block, known, counts, last, stat)
    elif stat != "count":
        share = quantile_of(stat)
        found = quantile(block, 0.5 if share is None else share)
        if stat == "mad":
            found = quantile(np.abs(block - found[:, None]), 0.5)
    needed = least if stat in {"count", "sum"} else max(least, 1)
    return np.where(counts >= needed, found, np.nan)


def _moments(block: Float64s, known: Any, counts: Float64s, last: Float64s, stat: str) -> Float64s:
    sums: Float64s = np.where(known, block, 0.0).sum(axis=1)
    if stat == "sum":
        return sums
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(known, block, np.inf).min(axis=1)
        same = low == np.where(known, block, -np.inf).max(axis=1)
        mean: Float64s = np.where(same, low, sums / counts)  # the mean of equals may round
        if stat == "mean":
            return mean
        away = np.where(known, block - mean[:, None], 0.0)
        spread: Float64s = np.sqrt((away * away).sum(axis=1) / (counts - 1))
        if stat == "std":
            return spread
        scores: Float64s = (last - mean) / np.where(spread > 0, spread, np.nan)
        return scores
