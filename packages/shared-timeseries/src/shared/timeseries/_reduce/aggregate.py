"""Aggregates of windows of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._data.answers import flatten, keyed
from .._data.columns import settled
from .._data.points import read_points
from .._kernels.fast import FAST_NAMES, UnsortedError, fast_sums, wants_fast
from .._kernels.runs import cuts_between, reduce_runs
from .._time.timeform import NAT
from .._windows.windows import MAX_WINDOWS
from .request import read_request

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from .._data.columns import Points
    from .._time.types import (
        Align,
        Data,
        Fill,
        Float64s,
        Int64s,
        Output,
        Side,
        Size,
        Time,
        TimeField,
    )
    from .request import Plan, Request


def aggregate_time_series(
    data: Data,
    timestamp_field: TimeField = None,
    value_field: str | None = None,
    window_size: Size = "1m",
    aggregation: str | Sequence[str] = "avg",
    *,
    by: str | Sequence[str] | None = None,
    fill: Fill = "none",
    align: Align = "start",
    tz: str | dt.tzinfo | None = None,
    start: Time | None = None,
    end: Time | None = None,
    include_end: bool = False,
    closed: Side = "left",
    offset: Size | None = None,
    skipna: bool = True,
    unit: str = "s",
    max_windows: int = MAX_WINDOWS,
    output: Output | None = None,
    fast: bool | None = None,
) -> Any:
    """Aggregate points over half-open windows of time.

    Unsorted input gives the same answer as sorted input. Equal times all count; for `first` and
    `last` the smaller value of a tie comes first. Rows without a time are dropped and counted
    in `dropped` of what is returned (`attrs["dropped"]` of a pandas frame).

    Args:
        data: A list of dicts, a pandas or polars frame, `(times, values)`, a list of
            `(time, value)` pairs, a mapping of columns, or a `TimeSeries`.
        timestamp_field: Name of the time column; `"timestamp"` if omitted.
        value_field: Name of the value column; `"value"` if omitted.
        window_size: `"5m"`, `"1d"` (calendar), `"24h"`, a timedelta, or a number in `unit`.
        aggregation: `avg sum min max count first last std median p50 p95 p99` (any `pNN`), or
            several. `std` is the sample's; quantiles are linear.
        by: Column or columns to group by.
        fill: Empty windows: `"none"` drops them, `"null"` keeps them with a count and sum of 0
            and nothing else, `"previous"` and `"linear"` fill the rest from the neighbours,
            `"0"` writes zeros.
        align: Where windows start, see `create_time_windows`; `"start"` is `start` or, without
            it, the first point of all.
        tz: Zone of calendar windows; the zone of the times if omitted.
        start: Leave out points before this instant.
        end: Leave out points at or after this instant (after it, with `include_end`).
        include_end: A point exactly at the end of the range joins the last window instead of
            opening its own.
        closed: `"right"`: windows are `(start, end]`, and so is the range, as with pandas'
            `closed="right"`.
        offset: Shift of all edges, such as `"15m"` or `"-6h"`.
        skipna: Leave NaN values out; otherwise they make their window NaN and are counted.
        unit: Unit of plain numbers.
        max_windows: More windows than this are refused before memory is taken.
        output: `"records"`, `"pandas"`, `"polars"`, `"arrays"` or `"series"`; the form of the
            input if omitted (arrays for a series).
        fast: True insists on the `fast` extra (numba), False works without it; by default it is
            used from half a million points on.

    Returns:
        One row per window, in order of group and time: the columns of `by`, `window_start`,
        `window_end`, `count`, and `value` for a single aggregation or one column named after
        each of several.

    Raises:
        TypeError: Naive and aware times are mixed, or a value is not a number.
        ValueError: An unknown aggregation, a size of zero or less, too many windows.
        KeyError: A column that does not exist.

    Example:
        >>> rows = [{"at": 0, "ms": 3}, {"at": 59, "ms": 5}, {"at": 60, "ms": 9}]
        >>> aggregate_time_series(rows, "at", "ms", "1m")
        [{'window_start': 0, 'window_end': 60, 'count': 2, 'value': 4.0},
         {'window_start': 60, 'window_end': 120, 'count': 1, 'value': 9.0}]
        >>> aggregate_time_series(rows, "at", "ms", "1m", ["max", "p95"])[0]["p95"]
        4.9
    """
    request = read_request(
        window_size,
        aggregation,
        fill=fill,
        align=align,
        start=start,
        end=end,
        include_end=include_end,
        closed=closed,
        offset=offset,
        skipna=skipna,
        tz=tz,
        unit=unit,
        max_windows=max_windows,
        output=output,
        fast=fast,
    )
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit, look=False)
    return request.give(*aggregate_points(points, request))


def aggregate_points(points: Points, request: Request) -> tuple[dict[str, Any], Points]:
    """Return the columns of all windows, and the points that are in range."""
    if request.start is not None or request.end is not None or not _sees_order(points, request):
        points = settled(points)
    points, bounds = request.limit(points)
    if not len(points.times):
        return request.empty(points.by), points

    def windows_of_groups(points: Points) -> dict[str, Any]:
        plan = request.plan(points.time_form, span_of(points), bounds)
        form = request.output or points.form
        parts = []
        for key, ns, numbers in _groups(points):
            part = _windows_of(ns, numbers, plan, form, ordered=points.ordered)
            parts.append(keyed(points.by, key, len(part["count"])) | part)
        return flatten(parts)

    try:
        return windows_of_groups(points), points
    except UnsortedError:
        points = settled(points)
        return windows_of_groups(points), points


def _groups(points: Points) -> list[tuple[tuple[Any, ...], Int64s, Float64s]]:
    if points.codes is None:
        return [((), points.times, points.values)]
    return [
        (key, points.times[chosen], points.values[chosen])
        for code, key in enumerate(points.keys)
        if (chosen := points.codes == code).any()
    ]


def _sees_order(points: Points, request: Request) -> bool:
    """Return whether the compiled path will read these times anyway, and so see whether they fall."""
    ns = points.times
    compiled = set(request.names) <= FAST_NAMES and wants_fast(request.fast, len(ns))
    # Without a first time, or with a last one before it, the range would not be known.
    return compiled and points.codes is None and len(ns) > 0 and bool(NAT != ns[0] <= ns[-1])


def span_of(points: Points) -> tuple[int, int]:
    """Return the first and the last time, of points that are sorted unless a check found otherwise."""
    if points.ordered is not False:
        return int(points.times[0]), int(points.times[-1])
    return int(points.times.min()), int(points.times.max())


def _windows_of(
    ns: Int64s, numbers: Float64s, plan: Plan, form: Output, *, ordered: bool | None
) -> dict[str, Any]:
    """Return the windows of one group: starts, ends, counts and aggregates.

    Raises:
        UnsortedError: It was unknown (None) whether the times are in order, and they are not.
    """
    ties = {"first", "last"} & set(plan.request.names)
    if ties or ordered is False:
        order: Any = None
        if ties and (not ordered or bool((ns[1:] == ns[:-1]).any())):
            order = np.lexsort((numbers, ns))
        elif not ordered:
            order = np.argsort(ns, kind="stable")
        if order is not None:
            ns, numbers = ns[order], numbers[order]
    edges = plan.grid.edges(plan.first, plan.stop + 1)
    compiled = set(plan.request.names) <= FAST_NAMES and wants_fast(plan.request.fast, len(ns))
    counts, filled, reduced = _reduce(
        ns, numbers, edges, plan, compiled=compiled, asked=ordered is None
    )
    # A NaN shows in its window's sum (so do two infinities): only then look for it.
    if plan.request.skipna and np.isnan(reduced["sum"]).any():
        there = ~np.isnan(numbers)
        if not there.all():
            counts, filled, reduced = _reduce(
                ns[there], numbers[there], edges, plan, compiled=compiled
            )
    return shape(edges, counts, filled, reduced, plan.request, form)


def _reduce(
    ns: Int64s,
    numbers: Float64s,
    edges: Int64s,
    plan: Plan,
    *,
    compiled: bool,
    asked: bool = False,
) -> tuple[Int64s, Int64s, dict[str, Float64s]]:
    """Return the counts of all windows, which of them are filled, and their aggregates; always also the sum."""
    if compiled:
        cut = edges + plan.request.late
        counts, found = fast_sums(ns, numbers, cut, plan.closed_end, asked=asked)
        filled = np.flatnonzero(counts)
        return counts, filled, {name: _some(column, filled) for name, column in found.items()}
    cuts = cuts_between(ns, edges + plan.request.late)
    if plan.closed_end is not None:
        cuts[-1] = np.searchsorted(ns, plan.closed_end, side="right")
    counts = np.diff(cuts)
    filled = np.flatnonzero(counts)
    names = list(dict.fromkeys(["sum", *plan.request.names]))
    return counts, filled, reduce_runs(numbers, cuts[:-1][filled], cuts[1:][filled], names)


def _some(column: Any, filled: Int64s) -> Any:
    """Return the chosen cells of a column; the column itself if all are."""
    return column if len(filled) == len(column) else column[filled]


def shape(
    edges: Int64s,
    counts: Int64s,
    filled: Int64s,
    reduced: dict[str, Float64s],
    request: Request,
    form: Output,
) -> dict[str, Any]:
    """Return rows for the windows: only the filled ones, or all with the empty ones filled."""
    fill = request.fill
    out: dict[str, Any] = {}
    if fill == "none":
        # Not two views of the same edges: a caller may write into either.
        out["window_start"] = _some(edges[:-1].copy(), filled)
        out["window_end"] = _some(edges[1:], filled)
        out["count"] = _some(counts, filled)
        holes = np.zeros(len(filled), dtype=bool)
    else:
        out["window_start"], out["window_end"] = edges[:-1].copy(), edges[1:]
        out["count"] = counts
        holes = counts == 0
    few = out["count"] < 2
    for shown, name in zip(request.shown, request.names, strict=True):
        column = reduced[name]
        if fill != "none":
            column = _fill(column, edges[:-1], filled, name, fill)
        blank = np.isnan(column) & (holes | few) if form == "records" else holes
        if form == "records" and blank.any():
            made = column.tolist()
            for i in np.flatnonzero(blank).tolist():
                made[i] = None
            out[shown] = made
        else:
            out[shown] = column.astype(np.int64) if name == "count" else column
    return out


def _fill(column: Float64s, at: Int64s, filled: Int64s, name: str, fill: Fill) -> Float64s:
    whole = np.full(len(at), 0.0 if name in {"count", "sum"} or fill == "0" else np.nan)
    whole[filled] = column
    if name in {"count", "sum"} or fill in {"null", "0"} or not len(filled):
        return whole
    if fill == "previous":
        source = np.searchsorted(filled, np.arange(len(at)), side="right") - 1
        return np.where(source >= 0, column[np.maximum(source, 0)], np.nan)
    inside = slice(int(filled[0]), int(filled[-1]) + 1)
    origin = at[filled[0]]
    whole[inside] = np.interp(
        (at[inside] - origin).astype(np.float64), (at[filled] - origin).astype(np.float64), column
    )
    return whole
