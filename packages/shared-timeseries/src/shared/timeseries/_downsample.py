"""Fewer points that look the same when drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from ._checks import whole
from ._clock import read_times
from ._fast import wants_fast
from ._points import read_values
from ._series import TimeSeries

if TYPE_CHECKING:
    from ._types import Float64s, Int64s

Method = Literal["lttb", "minmax", "minmaxlttb", "mean"]
METHODS = ("lttb", "minmax", "minmaxlttb", "mean")
_RATIO = 4  # candidates a point of minmaxlttb (https://arxiv.org/abs/2305.00332)


@overload
def downsample(
    x: Any,
    y: Any = None,
    n: int = 1000,
    method: Literal["lttb", "minmax", "minmaxlttb"] = "lttb",
    *,
    output: Literal["indices"] = "indices",
    fast: bool | None = None,
) -> Int64s: ...
@overload
def downsample(
    x: Any,
    y: Any = None,
    n: int = 1000,
    *,
    method: Literal["mean"],
    output: Literal["indices"] = "indices",
    fast: bool | None = None,
) -> tuple[Float64s, Float64s]: ...
@overload
def downsample(
    x: TimeSeries,
    y: None = None,
    n: int = 1000,
    method: Method = "lttb",
    *,
    output: Literal["series"],
    fast: bool | None = None,
) -> TimeSeries: ...
def downsample(
    x: Any,
    y: Any = None,
    n: int = 1000,
    method: Method = "lttb",
    *,
    output: Literal["indices", "series"] = "indices",
    fast: bool | None = None,
) -> Int64s | tuple[Float64s, Float64s] | TimeSeries:
    """Choose about `n` points that keep the look of a line.

    Points whose `y` is NaN are never chosen.

    Args:
        x: Ascending numbers or times; None for evenly spaced points; or a `TimeSeries`.
        y: As many values; None when `x` is a series.
        n: How many points; at least 3 for `lttb`, at least 2 otherwise.
        method: `"lttb"`: largest triangle three buckets, keeps both ends
            (Steinarsson 2013, https://hdl.handle.net/1946/15343). `"minmax"`: least and greatest
            of equal ranges of `x`. `"minmaxlttb"`: `lttb` over the `minmax` of four times as
            many. `"mean"`: averages of equal ranges of `x`.
        output: `"series"` gives the chosen points of a `TimeSeries` as one.
        fast: As for `aggregate_time_series`.

    Returns:
        Positions in ascending order; for `"mean"` the averaged `x` and `y`.

    Raises:
        ValueError: an unknown method, too small an `n`, or lengths that differ.

    Example:
        >>> downsample([0, 1, 2, 3, 4, 5], [0, 0, 9, 0, 0, 0], 3).tolist()
        [0, 2, 5]
    """
    if method not in METHODS:
        raise ValueError(f"method: {method!r} is not one of {', '.join(METHODS)}")
    least = 3 if "lttb" in method else 2
    n = whole(n, "n", least)
    if output not in {"indices", "series"}:
        raise ValueError(f"output: {output!r} is not one of indices, series")
    series = x if isinstance(x, TimeSeries) else None
    if series is not None:
        raw, numbers = series.times, series.values
    else:
        if output == "series":
            raise ValueError("output: a series comes only out of a TimeSeries")
        numbers = read_values(y, "y")
        raw = np.arange(len(numbers)) if x is None else _read_x(x)
    if len(raw) != len(numbers):
        raise ValueError(f"x, y: {len(raw)} and {len(numbers)} values")
    origin = raw[0] if len(raw) else 0
    # Nanoseconds since 1970 would lose digits; small numbers do not.
    large = raw.dtype.kind in "iu" and len(raw) and max(abs(int(raw[0])), abs(int(raw[-1]))) > 2**52
    raw = raw - origin if large else raw
    origin = origin if large else 0
    if method == "lttb" and output == "indices" and n < len(numbers):
        found = _compiled_lttb(raw, numbers, n, fast)
        if found is not None:
            return found
    if len(raw) and not bool((raw[1:] >= raw[:-1]).all()):
        raise ValueError("x: not in ascending order")
    places = raw.astype(np.float64, copy=False)
    gone = np.isnan(numbers)
    known = np.flatnonzero(~gone) if gone.any() else None
    if known is not None:
        places, numbers = places[known], numbers[known]
    if method == "mean":
        means = _means(places, numbers, n)
        if series is not None and output == "series":
            ns = np.rint(means[0]).astype(np.int64) + int(origin)
            return TimeSeries._of(ns, means[1], series.clock)  # noqa: SLF001
        return means[0] + float(origin), means[1]
    chosen = _choose(places, numbers, n, method, fast)
    if known is not None:
        chosen = known[chosen]
    if series is not None and output == "series":
        return TimeSeries._of(series.times[chosen], series.values[chosen], series.clock)  # noqa: SLF001
    return chosen


def _read_x(x: Any) -> Any:
    kind = getattr(getattr(x, "dtype", None), "kind", None)
    if kind in {"i", "u", "f"} and isinstance(x, np.ndarray):
        return x
    first = next(iter(x), None)
    if first is None or (isinstance(first, (int, float)) and not isinstance(first, bool)):
        return read_values(x, "x")
    return read_times(x, "x")[0]


def _choose(places: Float64s, numbers: Float64s, n: int, method: str, fast: bool | None) -> Int64s:
    if n >= len(numbers):
        return np.arange(len(numbers))
    if method == "minmax":
        return _minmax(places, numbers, n)
    if method == "minmaxlttb" and len(numbers) > n * _RATIO:
        inner = _minmax(places[1:-1], numbers[1:-1], n * _RATIO) + 1
        some = np.concatenate(([0], inner, [len(numbers) - 1]))
        return some[_lttb(places[some], numbers[some], n, fast)]
    return _lttb(places, numbers, n, fast)


def _compiled_lttb(places: Any, numbers: Float64s, n: int, fast: bool | None) -> Int64s | None:
    """LTTB if the compiled path is taken, no value is NaN and `x` ascends."""
    # The kernel sees a NaN in every bucket's mean, but it makes none of the first.
    head = len(numbers) // (n - 2) + 2
    if not wants_fast(fast, len(numbers)) or np.isnan(numbers[:head]).any():
        return None
    found = _lttb(places, numbers, n, True)  # noqa: FBT003
    return found if len(found) else None


def _lttb(places: Any, numbers: Float64s, n: int, fast: bool | None) -> Int64s:
    if n >= len(numbers):
        return np.arange(len(numbers))
    places, numbers = np.ascontiguousarray(places), np.ascontiguousarray(numbers)
    every = (len(numbers) - 2) / (n - 2)
    cuts = (every * np.arange(n - 1)).astype(np.int64) + 1
    cuts = np.append(cuts, len(numbers))
    if wants_fast(fast, len(numbers)):
        from ._compiled import triangles

        found: Int64s = triangles(places, numbers, cuts)
        return found
    heights = np.add.reduceat(numbers, cuts[:-1]) / np.diff(cuts)
    middles = (places[cuts[:-1]] + places[cuts[1:] - 1]) / 2
    chosen = np.zeros(n, dtype=np.int64)
    chosen[-1] = len(numbers) - 1
    at = 0
    for i in range(n - 2):
        begin, stop = cuts[i], cuts[i + 1]
        across, up = places[at] - middles[i + 1], heights[i + 1] - numbers[at]
        offset = across * numbers[at] + up * places[at]
        area = np.abs(across * numbers[begin:stop] + up * places[begin:stop] - offset)
        at = int(begin + np.argmax(area))
        chosen[i + 1] = at
    return chosen


def _bins(places: Float64s, count: int) -> tuple[Int64s, Int64s]:
    """First and end position of each filled one of `count` equal ranges."""
    edges = np.linspace(places[0], places[-1], count + 1)
    cuts = np.searchsorted(places, edges[1:-1], side="left")
    cuts = np.concatenate(([0], cuts, [len(places)]))
    filled = np.flatnonzero(np.diff(cuts))
    return cuts[:-1][filled], cuts[1:][filled]


def _minmax(places: Float64s, numbers: Float64s, n: int) -> Int64s:
    if n >= len(numbers):
        return np.arange(len(numbers))
    starts, stops = _bins(places, n // 2)
    chosen = np.empty((len(starts), 2), dtype=np.int64)
    for i, (begin, stop) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        part = numbers[begin:stop]
        chosen[i] = begin + part.argmin(), begin + part.argmax()
    return np.unique(chosen)


def _means(places: Float64s, numbers: Float64s, n: int) -> tuple[Float64s, Float64s]:
    if not len(numbers):
        return np.empty(0), np.empty(0)
    starts, stops = _bins(places, n)
    counts = stops - starts
    return np.add.reduceat(places, starts) / counts, np.add.reduceat(numbers, starts) / counts
