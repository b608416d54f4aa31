"""Series on a regular grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ._aggregate import aggregate_time_series, check_fill, limit
from ._counters import groups_of
from ._grid import make_grid
from ._kernels import read_aggregations
from ._points import flatten, give, read_points
from ._sizes import read_size
from ._windows import MAX_WINDOWS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ._types import Align, Data, Fill, Output, Size, TimeField

GapFill = Literal["null", "previous", "linear", "0"]


def resample(
    data: Data,
    timestamp_field: TimeField = None,
    value_field: str | None = None,
    every: Size = "1m",
    aggregation: str = "avg",
    *,
    by: str | Sequence[str] | None = None,
    fill: Fill = "null",
    align: Align = "epoch",
    tz: str | dt.tzinfo | None = None,
    unit: str = "s",
    max_windows: int = MAX_WINDOWS,
    output: Output | None = None,
) -> Any:
    """One value for each step of a regular grid, in the data's own shape.

    What falls into a step is aggregated; steps without a point are filled.

    Args:
        data: As for `aggregate_time_series`.
        timestamp_field: Name of the time column.
        value_field: Name of the value column.
        every: Size of a step.
        aggregation: One aggregation, as for `aggregate_time_series`.
        by: Column or columns to group by.
        fill: What steps without a point get: `"null"`, `"previous"`, `"linear"` or `"0"`;
            `"none"` leaves them out.
        align: Where steps begin: whole multiples of `every` when not given.
        tz: Zone of calendar steps.
        unit: Unit of plain numbers.
        max_windows: More steps than this are refused.
        output: Form of the result; that of the input when not given (a series for a series).

    Returns:
        Rows of the columns of `by`, the time of each step's begin and its value, under the
        names that they came with.

    Example:
        >>> resample([(0, 1.0), (30, 3.0), (150, 8.0)], every="1m", fill="linear")["value"]
        array([2., 5., 8.])
    """
    if not isinstance(aggregation, str):
        raise TypeError(f"aggregation: one name is needed, not {type(aggregation).__name__}")
    read_aggregations(aggregation)
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    form = output or points.form
    names = points.time_name, points.value_name
    grouped = {f"group_{i}": [key[i] for key in points.keys] for i in range(len(points.by))}
    columns = aggregate_time_series(
        _plain(points), window_size=read_size_text(every, unit), aggregation=aggregation, fill=fill,
        align=align, tz=tz, max_windows=max_windows, unit="ns", by="code" if grouped else None,
        output="arrays",
    )  # fmt: skip
    points, _, _ = limit(points, None, None, tz=tz, unit=unit, closed=False)
    out: dict[str, Any] = {}
    if grouped:
        codes = [int(code) for code in columns["code"]]
        out = {n: [points.keys[c][i] for c in codes] for i, n in enumerate(points.by)}
    out[names[0]] = _ns(columns["window_start"])
    out[names[1]] = columns["value"]
    if form == "records":
        out[names[1]] = [None if v != v else v for v in columns["value"].tolist()]  # noqa: PLR0124
    return give(out, points, form, names[:1])


def _plain(points: Any) -> Any:
    """The points as columns whose times keep their naive or aware kind."""
    times: Any = points.times
    if not points.clock.aware:
        times = times.view("datetime64[ns]")
    columns = {"timestamp": times, "value": points.values}
    return columns if points.codes is None else columns | {"code": points.codes}


def _ns(column: Any) -> Any:
    return column.view(np.int64) if column.dtype.kind == "M" else column


def read_size_text(size: Size, unit: str) -> Any:
    """A size whose plain number is in `unit`, as one that needs no unit."""
    step = read_size(size, "every", unit)
    return size if isinstance(size, str) else f"{step.ns}ns"


def fill_gaps(
    data: Data,
    timestamp_field: TimeField = None,
    value_field: str | None = None,
    every: Size | None = None,
    *,
    method: GapFill = "null",
    max_gap: Size | None = None,
    by: str | Sequence[str] | None = None,
    tz: str | dt.tzinfo | None = None,
    unit: str = "s",
    max_windows: int = MAX_WINDOWS,
    output: Output | None = None,
) -> Any:
    """Put points into gaps: wherever two neighbours are more than `every` apart.

    All points that came in stay as they are; new ones stand at whole steps after the last
    point before the gap.

    Args:
        data: As for `aggregate_time_series`.
        timestamp_field: Name of the time column.
        value_field: Name of the value column.
        every: Distance of points; the median distance when not given.
        method: What new points get: `"null"`, `"previous"`, `"linear"` or `"0"`.
        max_gap: Leave gaps that are longer than this.
        by: Column or columns to group by; each group by itself.
        tz: Zone of calendar steps.
        unit: Unit of plain numbers.
        max_windows: More new points than this are refused.
        output: Form of the result; that of the input when not given.

    Returns:
        Rows of the columns of `by`, time and value, sorted by group and time.

    Example:
        >>> fill_gaps([(0, 1.0), (10, 2.0), (40, 5.0)], every=10, method="linear")["value"]
        array([1., 2., 3., 4., 5.])
    """
    if check_fill(method) == "none":
        raise ValueError("method: 'none' fills nothing; use null, previous, linear or 0")
    step = None if every is None else read_size(every, "every", unit)
    longest = None if max_gap is None else read_size(max_gap, "max_gap", unit).least_ns
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    points, _, _ = limit(points, None, None, tz=tz, unit=unit, closed=False)
    names = points.time_name, points.value_name
    if step is None:
        gaps = np.concatenate([np.diff(ns) for _, ns, _ in groups_of(points, skipna=False)])
        gaps = gaps[gaps > 0]
        if not len(gaps):
            raise ValueError("every: needed, for the points are too few to tell their distance")
        step = read_size(int(np.median(gaps)), "every", "ns")
    parts = []
    for key, ns, numbers in groups_of(points, skipna=False):
        at, made = _steps(ns, step, points.clock.tz, longest, max_windows)
        values = _values(ns, numbers, at, made, str(method))
        order = np.argsort(np.concatenate((ns, at)), kind="stable")
        part: dict[str, Any] = {n: [k] * len(order) for n, k in zip(points.by, key, strict=True)}
        part[names[0]] = np.concatenate((ns, at))[order]
        filled = np.concatenate((numbers, values))[order]
        part[names[1]] = filled
        parts.append(part)
    out = flatten(parts)
    if (output or points.form) == "records":
        out[names[1]] = [None if v != v else v for v in out[names[1]].tolist()]  # noqa: PLR0124
    return give(out, points, output or points.form, names[:1])


def _steps(ns: Any, step: Any, tz: Any, longest: int | None, most: int) -> tuple[Any, Any]:
    """Times of the new points, and the position of the point before each one."""
    gaps = np.diff(ns)
    wide = np.flatnonzero(gaps > (step.ns or step.least_ns))
    if longest is not None:
        wide = wide[gaps[wide] <= longest]
    rough = int((gaps[wide] // step.least_ns).sum())
    if rough > 2 * most:
        raise ValueError(f"every: makes {rough} points, more than max_windows={most}")
    at, made = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for i in wide.tolist():
        if step.ns:
            new = np.arange(ns[i] + step.ns, ns[i + 1], step.ns, dtype=np.int64)
        else:
            grid = make_grid(step, int(ns[i]), "start", tz)
            new = grid.edges(1, grid.locate(int(ns[i + 1]) - 1) + 1)
        at.append(new)
        made.append(np.full(len(new), i))
    return np.concatenate(at), np.concatenate(made)


def _values(ns: Any, numbers: Any, at: Any, made: Any, method: str) -> Any:
    if method == "null":
        return np.full(len(at), np.nan)
    if method == "0":
        return np.zeros(len(at))
    before = numbers[made]
    if method == "previous":
        return before
    share = (at - ns[made]) / (ns[np.minimum(made + 1, len(ns) - 1)] - ns[made])
    return before + (numbers[np.minimum(made + 1, len(ns) - 1)] - before) * share
