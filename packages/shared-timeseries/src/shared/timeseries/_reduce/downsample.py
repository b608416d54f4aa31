"""Fewer points that look the same when drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import numpy as np

from shared.core.checks import choice, refuse, whole

from .._data.columns import read_values
from .._data.series import TimeSeries, series_of
from .._kernels.fast import wants_fast
from .._time.timeform import read_times

if TYPE_CHECKING:
    from .._time.types import Float64s, Int64s

Method = Literal["lttb", "minmax", "minmaxlttb", "mean"]
METHODS = ("lttb", "minmax", "minmaxlttb", "mean")
_RATIO = 4  # candidates per point of minmaxlttb (https://arxiv.org/abs/2305.00332)


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
        output: `"series"` returns the chosen points of a `TimeSeries` as a series.
        fast: As for `aggregate_time_series`.

    Returns:
        Positions in ascending order; for `"mean"` the averaged `x` and `y`.

    Raises:
        ValueError: An unknown method, too small an `n`, or lengths that differ.

    Example:
        >>> downsample([0, 1, 2, 3, 4, 5], [0, 0, 9, 0, 0, 0], 3).tolist()
        [0, 2, 5]
    """
    n = read_count(n, method)
    line = _read_line(x, y, choice("output", output, ("indices", "series")))
    if method == "lttb" and output == "indices" and n < len(line.values):
        found = _compiled_lttb(line.places, line.values, n, fast)
        if found is not None:
            return found
    known = line.known()
    if method == "mean":
        return line.averaged(*_means(known.places, known.values, n), output)
    chosen = _choose(known.places, known.values, n, method, fast)
    return line.chosen(chosen if known.rows is None else known.rows[chosen], output)


def read_count(n: Any, method: str) -> int:
    """Read how many points a method is to choose."""
    choice("method", method, METHODS)
    return whole("n", n, least=3 if "lttb" in method else 2)


class _Line(NamedTuple):
    """A line to be drawn with fewer points, and the way back to what the caller passed in."""

    places: Any
    values: Float64s
    origin: Any = 0  # what was subtracted from the places
    series: TimeSeries | None = None
    rows: Int64s | None = None  # which points of the line these are; None: all

    def known(self) -> _Line:
        """Return the points that have a value, and refuse places that do not ascend."""
        places = self.places
        if len(places) and not bool((places[1:] >= places[:-1]).all()):
            raise ValueError("x must be in ascending order")
        places = places.astype(np.float64, copy=False)
        gone = np.isnan(self.values)
        if not gone.any():
            return self._replace(places=places)
        rows = np.flatnonzero(~gone)
        return self._replace(places=places[rows], values=self.values[rows], rows=rows)

    def chosen(self, rows: Int64s, output: str) -> Int64s | TimeSeries:
        """Answer with some of the points."""
        if self.series is None or output == "indices":
            return rows
        series = self.series
        return series_of(series.times[rows], series.values[rows], series.time_form)

    def averaged(
        self, places: Float64s, values: Float64s, output: str
    ) -> tuple[Float64s, Float64s] | TimeSeries:
        """Answer with points that are not on the line."""
        if self.series is None or output == "indices":
            return places + float(self.origin), values
        ns = np.rint(places).astype(np.int64) + int(self.origin)
        return series_of(ns, values, self.series.time_form)


def _read_line(x: Any, y: Any, output: str) -> _Line:
    series = x if isinstance(x, TimeSeries) else None
    if series is not None:
        raw, values = series.times, series.values
    elif output == "series":
        raise refuse("x", "a TimeSeries for output='series'", x)
    else:
        values = read_values(y, "y")
        raw = np.arange(len(values)) if x is None else _read_x(x)
    if len(raw) != len(values):
        raise ValueError(f"y must have as many values as x, not {len(values)} for {len(raw)}")
    # Nanoseconds since 1970 would lose digits; small numbers do not.
    large = raw.dtype.kind in "iu" and len(raw) and max(abs(int(raw[0])), abs(int(raw[-1]))) > 2**52
    return _Line(raw - raw[0], values, raw[0], series) if large else _Line(raw, values, 0, series)


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
    """Choose by compiled LTTB if that path is taken, no value is NaN and `x` ascends; else None."""
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
        from .._kernels.compiled import triangles

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
    """Return the first and end position of each filled one of `count` equal ranges."""
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
