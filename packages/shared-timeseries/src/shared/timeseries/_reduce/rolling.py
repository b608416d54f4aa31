"""Statistics of a sliding number of values."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import refuse, whole

from .._data.columns import read_values
from .._kernels.fast import wants_fast
from .._kernels.moments import BLOCK, finite_moments, moments, slide
from .._kernels.runs import quantile_of, row_quantile
from .rolling_time import even_count, read_reach, roll_spans, starts_of, times_of

if TYPE_CHECKING:
    from .._time.types import Float64s, Int64s, Size

STATS = ("mean", "sum", "min", "max", "std", "count", "median", "mad", "zscore")
_ALIASES = {"avg": "mean"}


def rolling(
    values: Any,
    window: int | Size,
    stat: str = "mean",
    *,
    times: Any = None,
    min_periods: int | None = None,
    unit: str = "s",
    fast: bool | None = None,
) -> Float64s:
    """Calculate a statistic of each value and those before it: a number of values, or a time.

    NaN values are left out of their windows.

    Args:
        values: Numbers in order of time, or a `TimeSeries`.
        window: How many values; or a time such as `"5m"` or a timedelta: the values later than
            that before each one, as pandas' `rolling("5min")`.
        stat: `mean sum min max std count median mad zscore` or any `pNN`. `std` is the
            sample's, `mad` the median absolute deviation (not scaled), `zscore` the value's
            distance from the window's mean in its standard deviations.
        times: The times of the values, ascending, for a window of time; if omitted, those of a
            `TimeSeries` or the index of a pandas Series.
        min_periods: Windows with fewer known values are NaN; if omitted `window`, or 1 for a time.
        unit: Unit of plain numbers in `times`.
        fast: As for `aggregate_time_series`.

    Returns:
        As many values as came in.

    Example:
        >>> rolling([1, 2, 6, 3], 3, "median").tolist()
        [nan, nan, 2.0, 3.0]
        >>> rolling([1, 2, 6, 3], "1m", "sum", times=[0, 30, 60, 300]).tolist()
        [1.0, 3.0, 8.0, 3.0]
    """
    stat = read_stat(stat)
    if isinstance(window, (str, dt.timedelta, np.timedelta64)) or hasattr(window, "freqstr"):
        return _roll_time(values, window, stat, times, min_periods, unit, fast)
    if times is not None:
        raise ValueError("times must be omitted for a window of a number of values")
    numbers = read_values(values, "values")
    window = whole("window", window)
    least = window
    if min_periods is not None:
        least = whole("min_periods", min_periods, least=0, most=window)
    return roll(numbers, window, stat, least, fast)


def _roll_time(
    values: Any,
    window: Any,
    stat: str,
    times: Any,
    min_periods: int | None,
    unit: str,
    fast: bool | None,
) -> Float64s:
    reach = read_reach(window, unit)
    ns, numbers = times_of(values, times, unit), read_values(values, "values")
    least = 1 if min_periods is None else whole("min_periods", min_periods, least=0)
    starts = starts_of(ns, reach)
    if count := even_count(starts):  # regular times: windows of one number of values
        return roll(numbers, count, stat, least, fast)
    return roll_spans(numbers, starts, stat, least, _known_quantile)


def read_stat(stat: str) -> str:
    """Read the name of a statistic."""
    stat = _ALIASES.get(stat, stat)
    if stat not in STATS and quantile_of(stat) is None:
        raise refuse("stat", f"one of {', '.join(STATS)} or any pNN", stat)
    return stat


def roll(
    values: Float64s, window: int, stat: str, least: int, fast: bool | None = None
) -> Float64s:
    """Calculate `rolling` for arguments that have been checked."""
    if not len(values):
        return np.empty(0)
    window = min(window, len(values))
    if stat in {"mean", "sum", "std", "zscore"} and window > 1 and np.isfinite(values.sum()):
        if stat in {"std", "zscore"} and wants_fast(fast, len(values)):
            from .._kernels.compiled import sliding_spread

            found: Float64s = sliding_spread(values, window, stat == "zscore")
        else:
            found = finite_moments(values, window, stat)
        if least > 1:
            found[: least - 1] = np.nan
        return found
    gone = np.isnan(values)
    counts = slide(np.add, (~gone).astype(np.float64), window, 0.0)
    share = quantile_of(stat)
    if stat == "count":
        return np.where(counts >= least, counts, np.nan)
    if stat in {"min", "max"}:
        edge = np.inf if stat == "min" else -np.inf
        kernel = np.minimum if stat == "min" else np.maximum
        out = slide(kernel, np.where(gone, edge, values), window, edge)
        return np.where((counts >= least) & (counts > 0), out, np.nan)
    if share is not None or stat == "mad":
        out = _ordered(
            values, window, 0.5 if share is None else share, mad=stat == "mad", fast=fast
        )
        return np.where((counts >= least) & (counts > 0), out, np.nan)
    mean, squares, sums = moments(values, gone, window, counts)
    return _finish(stat, values, mean, squares, sums, counts, least)


def _finish(
    stat: str,
    values: Float64s,
    mean: Float64s,
    squares: Float64s,
    sums: Float64s,
    counts: Float64s,
    least: int,
) -> Float64s:
    if stat == "sum":
        return np.where(counts >= least, sums, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        if stat == "mean":
            out = mean
        else:
            out = np.sqrt(squares / (counts - 1))
            if stat == "zscore":
                out = (values - mean) / np.where(out > 0, out, np.nan)
    return np.where((counts >= least) & (counts > 0), out, np.nan)


def _ordered(
    values: Float64s, window: int, share: float, *, mad: bool, fast: bool | None
) -> Float64s:
    """Return the quantile, or median absolute deviation, of every window."""
    if wants_fast(fast, len(values) * max(1, window // 8)):
        from .._kernels.compiled import sliding_mad, sliding_quantile

        out: Float64s = (
            sliding_mad(values, window) if mad else sliding_quantile(values, window, share)
        )
        return out
    out = np.empty(len(values))
    padded = np.concatenate((np.full(window - 1, np.nan), values))
    views = np.lib.stride_tricks.sliding_window_view(padded, window)
    step = max(1, BLOCK // window)
    for begin in range(0, len(values), step):
        block = views[begin : begin + step]
        middle = _known_quantile(block, share)
        if mad:
            middle = _known_quantile(np.abs(block - middle[:, None]), 0.5)
        out[begin : begin + step] = middle
    return out


def _known_quantile(block: Float64s, share: float) -> Float64s:
    """Return the quantile of each row's values that are not NaN."""
    out = row_quantile(block, share)
    holed = np.flatnonzero(np.isnan(out))
    if len(holed):
        out[holed] = _ragged_quantile(np.sort(block[holed], axis=1), share)
    return out


def _ragged_quantile(block: Float64s, share: float) -> Float64s:
    """Return the quantile of each sorted row's values before its NaN."""
    width = block.shape[1]
    if not np.isnan(block[:, -1]).any():
        known = np.full(len(block), width)
    else:
        known = width - np.isnan(block).sum(axis=1)
    place = share * (known - 1)
    low = np.maximum(place.astype(np.int64), 0)
    high = np.minimum(low + 1, np.maximum(known - 1, 0))
    rows = np.arange(len(block))
    left, right = block[rows, low], block[rows, high]
    with np.errstate(invalid="ignore"):
        mixed = left + (right - left) * (place - low)
    return np.where(left == right, left, mixed)


def roll_mean_ad(values: Float64s, window: int, center: Float64s, places: Int64s) -> Float64s:
    """Return the mean absolute deviation from a given center, of the windows that end at some places."""
    out = np.empty(len(places))
    padded = np.concatenate((np.full(window - 1, np.nan), values))
    views = np.lib.stride_tricks.sliding_window_view(padded, window)
    step = max(1, BLOCK // window)
    for begin in range(0, len(places), step):
        some = places[begin : begin + step]
        away = np.abs(views[some] - center[some][:, None])
        known = np.maximum((~np.isnan(away)).sum(axis=1), 1)
        out[begin : begin + step] = np.nansum(away, axis=1) / known
    return out
