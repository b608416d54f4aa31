"""Aggregates of windows of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._clock import NAT, Clock, read_time, zone
from ._fast import FAST_NAMES, UnsortedError, fast_sums, wants_fast
from ._grid import Grid, from_wall, make_grid
from ._kernels import cuts_between, read_aggregations, reduce_runs
from ._points import Points, flatten, give, read_points, settled
from ._sizes import read_size
from ._windows import MAX_WINDOWS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ._sizes import Step
    from ._types import Align, Data, Fill, Float64s, Int64s, Output, Size, Time, TimeField

FILLS = ("none", "null", "previous", "linear", "0")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a request that is the same for each group."""

    names: list[str]
    grid: Grid
    first: int
    stop: int
    fill: Fill
    skipna: bool
    closed_end: int | None  # points exactly here belong to the last window
    fast: bool | None


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
    skipna: bool = True,
    unit: str = "s",
    max_windows: int = MAX_WINDOWS,
    output: Output | None = None,
    fast: bool | None = None,
) -> Any:
    """Aggregate points over half-open windows of time.

    Unsorted input gives the answer of sorted input. Equal times all count; for `first` and
    `last` the smaller value of a tie comes first. Rows without a time are dropped and counted
    in `dropped` of what is returned (`attrs["dropped"]` of a pandas frame).

    Args:
        data: A list of dicts, a pandas or polars frame, `(times, values)`, a list of
            `(time, value)` pairs, a mapping of columns, or a `TimeSeries`.
        timestamp_field: Name of the time column; `"timestamp"` when not given.
        value_field: Name of the value column; `"value"` when not given.
        window_size: `"5m"`, `"1d"` (calendar), `"24h"`, a timedelta, or a number in `unit`.
        aggregation: `avg sum min max count first last std median p50 p95 p99` (any `pNN`), or
            several. `std` is the sample's; quantiles are linear.
        by: Column or columns to group by.
        fill: Empty windows: `"none"` drops them, `"null"` keeps them with a count and sum of 0
            and nothing else, `"previous"` and `"linear"` fill the rest from the neighbours,
            `"0"` writes zeros.
        align: Where windows begin, see `create_time_windows`; `"start"` is `start` or, without
            it, the first point of all.
        tz: Zone of calendar windows; the zone of the times when not given.
        start: Leave out points before this instant.
        end: Leave out points at or after this instant (after it, with `include_end`).
        include_end: A point exactly at the end of the range joins the last window instead of
            opening its own.
        skipna: Leave NaN values out; otherwise they make their window NaN and are counted.
        unit: Unit of plain numbers.
        max_windows: More windows than this are refused before memory is taken.
        output: `"records"`, `"pandas"`, `"polars"`, `"arrays"` or `"series"`; the form of the
            input when not given (arrays for a series).
        fast: True insists on the `fast` extra (numba), False does without it; by default it is
            used from half a million points.

    Returns:
        One row a window, in order of group and time: the columns of `by`, `window_start`,
        `window_end`, `count`, and `value` for a single aggregation or one column named after
        each of several.

    Raises:
        TypeError: naive and aware times are mixed, or a value is no number.
        ValueError: an unknown aggregation, a size of zero or less, too many windows.
        KeyError: a column that does not exist.

    Example:
        >>> rows = [{"at": 0, "ms": 3}, {"at": 59, "ms": 5}, {"at": 60, "ms": 9}]
        >>> aggregate_time_series(rows, "at", "ms", "1m")
        [{'window_start': 0, 'window_end': 60, 'count': 2, 'value': 4.0},
         {'window_start': 60, 'window_end': 120, 'count': 1, 'value': 9.0}]
        >>> aggregate_time_series(rows, "at", "ms", "1m", ["max", "p95"])[0]["p95"]
        4.9
    """
    given, names, single = read_aggregations(aggregation)
    step = read_size(window_size, "window_size", unit)
    fill = check_fill(fill)
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit, look=False)
    if start is not None or end is not None or not _compiled_sees_order(points, names, fast):
        points = settled(points)
    points, low, high = limit(points, start, end, tz=tz, unit=unit, closed=include_end)
    shown = ["value"] if single else given
    times = ("window_start", "window_end")
    if not len(points.times):
        empty: dict[str, Any] = {name: [] for name in points.by}
        for column in (*times, "count", *shown):
            kind = np.int64 if column in {*times, "count"} else np.float64
            empty[column] = np.empty(0, dtype=kind)
        return give(empty, points, output, times)
    form = points.form if output is None else output

    def windows_of_groups(points: Points) -> list[dict[str, Any]]:
        plan = plan_windows(
            points.clock, step, align, span_of(points), (low, high), names=names, fill=fill,
            skipna=skipna, include_end=include_end, max_windows=max_windows, fast=fast,
        )  # fmt: skip
        parts = []
        for key, ns, numbers in _groups(points):
            part = _windows_of(ns, numbers, plan, form, ordered=points.ordered)
            parts.append(labelled(part, points.by, key, shown, names))
        return parts

    try:
        parts = windows_of_groups(points)
    except UnsortedError:
        points = settled(points)
        parts = windows_of_groups(points)
    return give(flatten(parts) if len(parts) > 1 else parts[0], points, output, times)


def labelled(
    part: dict[str, Any],
    by: Sequence[str],
    key: Sequence[Any],
    shown: Sequence[str],
    names: Sequence[str],
) -> dict[str, Any]:
    """Columns of one group's windows: its key, times, count, each aggregate as it is to be shown."""
    rows = len(part["window_start"])
    out: dict[str, Any] = {name: [k] * rows for name, k in zip(by, key, strict=True)}
    out |= {name: part[name] for name in ("window_start", "window_end", "count")}
    return out | {column: part[f"={name}"] for column, name in zip(shown, names, strict=True)}


def _groups(points: Points) -> list[tuple[tuple[Any, ...], Int64s, Float64s]]:
    if points.codes is None:
        return [((), points.times, points.values)]
    return [
        (key, points.times[chosen], points.values[chosen])
        for code, key in enumerate(points.keys)
        if (chosen := points.codes == code).any()
    ]


def _compiled_sees_order(points: Points, names: list[str], fast: bool | None) -> bool:
    """Whether the compiled path will read these times anyway, and so see whether they fall."""
    ns = points.times
    looks = points.codes is None and set(names) <= FAST_NAMES and wants_fast(fast, len(ns))
    # Without a first time, or with a last one before it, the range would not be known.
    return looks and len(ns) > 0 and bool(ns[0] != NAT and ns[0] <= ns[-1])


def check_fill(fill: Any) -> Fill:
    """The fill's name; ValueError for one that does not exist."""
    fill = "0" if fill == 0 and not isinstance(fill, bool) else "none" if fill is None else fill
    if fill not in FILLS:
        raise ValueError(f"fill: {fill!r} is not one of {', '.join(FILLS)}")
    chosen: Fill = fill
    return chosen


def limit(
    points: Points,
    start: Time | None,
    end: Time | None,
    *,
    tz: str | dt.tzinfo | None,
    unit: str,
    closed: bool,
) -> tuple[Points, int | None, int | None]:
    """Points within `[start, end)`, their clock in the zone, and the bounds as instants."""
    from dataclasses import replace

    clock, place = points.clock, zone(tz)
    if place is not None and len(points.times):
        if not clock.aware:
            raise TypeError("tz: the times are naive and name no instant; localise them first")
        kind = "datetime" if clock.kind == "number" else clock.kind
        clock = clock if clock.kind == "number" else Clock(kind, place, clock.unit)
        clock = Clock(clock.kind, place, clock.unit)
    bounds: list[int | None] = []
    for name, bound in (("start", start), ("end", end)):
        if bound is None:
            bounds.append(None)
            continue
        ns, other = read_time(bound, name, unit)
        if len(points.times) and other.aware != clock.aware:
            if not (place is not None and not other.aware):
                raise TypeError(f"{name}: naive and aware times are mixed with those of the data")
            ns = from_wall(ns, place)
        bounds.append(ns)
    low, high = bounds
    if low is not None and high is not None and high < low:
        raise ValueError(f"end: {end} is before start ({start})")
    if low is None and high is None:
        return replace(points, clock=clock), None, None
    keep = np.ones(len(points.times), dtype=bool)
    if low is not None:
        keep &= points.times >= low
    if high is not None:
        keep &= (points.times <= high) if closed else (points.times < high)
    if not keep.all():
        codes = points.codes if points.codes is None else points.codes[keep]
        points = replace(points, times=points.times[keep], values=points.values[keep], codes=codes)
    return replace(points, clock=clock), low, high


def span_of(points: Points) -> tuple[int, int]:
    """The first and the last time, of points that are sorted unless somebody looked."""
    if points.ordered is not False:
        return int(points.times[0]), int(points.times[-1])
    return int(points.times.min()), int(points.times.max())


def plan_windows(
    clock: Clock,
    step: Step,
    align: Align,
    span: tuple[int, int],
    bounds: tuple[int | None, int | None],
    *,
    names: list[str],
    fill: Fill,
    skipna: bool,
    include_end: bool,
    max_windows: int,
    fast: bool | None = None,
) -> Plan:
    """The grid and the range of windows for points within a span, if there are not too many."""
    (begin, last_time), (low, high) = span, bounds
    origin = begin if low is None else low
    closed: int | None = last_time if high is None else high
    grid = make_grid(step, origin, align, clock.tz)
    first_of, last_of = begin, last_time
    if fill != "none":
        first_of = origin
        last_of = last_time if high is None else max(high - 1, last_time)
    rough = (last_of - first_of) // step.least_ns
    if rough > 2 * max_windows:
        raise ValueError(_too_many(rough, max_windows))
    first, last = grid.locate(first_of), grid.locate(last_of)
    if include_end and closed is not None and grid.edge(last) == closed and closed > origin:
        last = last - 1
        first = min(first, last)
    else:
        closed = None
    if last - first + 1 > max_windows:
        raise ValueError(_too_many(last - first + 1, max_windows))
    return Plan(names, grid, first, last + 1, fill, skipna, closed, fast)


def _too_many(count: int, allowed: int) -> str:
    return f"window_size: makes {count} windows, more than max_windows={allowed}"


def _windows_of(
    ns: Int64s, numbers: Float64s, plan: Plan, form: Output, *, ordered: bool | None
) -> dict[str, Any]:
    """Windows of one group: starts, ends, counts and `=name` for each aggregate.

    Raises:
        UnsortedError: nobody knew (None) whether the times are in order, and they are not.
    """
    ties = {"first", "last"} & set(plan.names)
    if ties or ordered is False:
        order: Any = None
        if ties and (not ordered or bool((ns[1:] == ns[:-1]).any())):
            order = np.lexsort((numbers, ns))
        elif not ordered:
            order = np.argsort(ns, kind="stable")
        if order is not None:
            ns, numbers = ns[order], numbers[order]
    edges = plan.grid.edges(plan.first, plan.stop + 1)
    compiled = set(plan.names) <= FAST_NAMES and wants_fast(plan.fast, len(ns))
    counts, filled, reduced = _reduce(
        ns, numbers, edges, plan, compiled=compiled, asked=ordered is None
    )
    # A NaN shows in its window's sum (so do two infinities): only then look for it.
    if plan.skipna and np.isnan(reduced["sum"]).any():
        there = ~np.isnan(numbers)
        if not there.all():
            counts, filled, reduced = _reduce(
                ns[there], numbers[there], edges, plan, compiled=compiled
            )
    return shape(edges, counts, filled, {n: reduced[n] for n in plan.names}, plan.fill, form)


def _reduce(
    ns: Int64s,
    numbers: Float64s,
    edges: Int64s,
    plan: Plan,
    *,
    compiled: bool,
    asked: bool = False,
) -> tuple[Int64s, Int64s, dict[str, Float64s]]:
    """Counts of all windows, which are filled, and their aggregates; always also the sum."""
    if compiled:
        counts, found = fast_sums(ns, numbers, edges, plan.closed_end, asked=asked)
        filled = np.flatnonzero(counts)
        return counts, filled, {name: _some(column, filled) for name, column in found.items()}
    cuts = cuts_between(ns, edges)
    if plan.closed_end is not None:
        cuts[-1] = np.searchsorted(ns, plan.closed_end, side="right")
    counts = np.diff(cuts)
    filled = np.flatnonzero(counts)
    names = list(dict.fromkeys(["sum", *plan.names]))
    return counts, filled, reduce_runs(numbers, cuts[:-1][filled], cuts[1:][filled], names)


def _some(column: Any, filled: Int64s) -> Any:
    """The chosen cells of a column; the column when all are."""
    return column if len(filled) == len(column) else column[filled]


def shape(
    edges: Int64s,
    counts: Int64s,
    filled: Int64s,
    reduced: dict[str, Float64s],
    fill: Fill,
    form: Output,
) -> dict[str, Any]:
    """Rows for the windows: only the filled ones, or all with the empty ones filled."""
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
    for name, column in reduced.items():
        if fill != "none":
            column = _fill(column, edges[:-1], filled, name, fill)
        blank = np.isnan(column) & (holes | (out["count"] < 2)) if form == "records" else holes
        if form == "records" and blank.any():
            made = column.tolist()
            for i in np.flatnonzero(blank).tolist():
                made[i] = None
            out[f"={name}"] = made
        else:
            out[f"={name}"] = column.astype(np.int64) if name == "count" else column
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
