"""Series on a regular grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shared.core.checks import choice, refuse

from .._data.answers import flatten, give, keyed, none_for_nan
from .._data.points import read_points
from .._time.sizes import read_size
from .._time.timeform import zone
from .._windows.grid import make_grid
from .._windows.windows import MAX_WINDOWS
from .aggregate import aggregate_points
from .counters import groups_of
from .request import SIDES, in_zone, read_fill, read_request

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from .._data.columns import Points
    from .._time.types import Align, Data, Fill, Output, Side, Size, TimeField
    from .request import Request

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
    closed: Side = "left",
    label: Side = "left",
    offset: Size | None = None,
    tz: str | dt.tzinfo | None = None,
    unit: str = "s",
    max_windows: int = MAX_WINDOWS,
    output: Output | None = None,
) -> Any:
    """Put one value at each step of a regular grid, in the data's own form.

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
        align: Where steps start: at whole multiples of `every` if omitted.
        closed: The side on which a step owns its edge, as for `aggregate_time_series`.
        label: The edge of a step whose time it gets.
        offset: Shift of all edges, such as `"15m"` or `"-6h"`.
        tz: Zone of calendar steps.
        unit: Unit of plain numbers.
        max_windows: More steps than this are refused.
        output: Form of the result; that of the input if omitted (a series for a series).

    Returns:
        Rows of the columns of `by`, the time at which each step starts and its value, under
        their own names.

    Example:
        >>> resample([(0, 1.0), (30, 3.0), (150, 8.0)], every="1m", fill="linear")["value"]
        array([2., 5., 8.])
    """
    request = read_resample(
        every,
        aggregation,
        fill=fill,
        align=align,
        closed=closed,
        offset=offset,
        tz=tz,
        unit=unit,
        max_windows=max_windows,
        output=output,
    )
    choice("label", label, SIDES)
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    return resampled(*aggregate_points(points, request), request, label)


def read_resample(every: Size, aggregation: str, **arguments: Any) -> Request:
    """Read the arguments of `resample`."""
    if not isinstance(aggregation, str):
        raise refuse("aggregation", "one name", aggregation, TypeError)
    return read_request(every, aggregation, size_name="every", **arguments)


def resampled(
    columns: dict[str, Any], points: Points, request: Request, label: Side = "left"
) -> Any:
    """Return windows as rows of group, time and value, under the names of the data."""
    time, value = points.names
    form = request.output or points.form
    values = np.array(columns["value"], np.float64)
    out = {name: columns[name] for name in points.by}
    out |= {time: columns["window_start" if label == "left" else "window_end"], value: values}
    if form == "records":
        out[value] = none_for_nan(values)
    return give(out, points, form, (time,))


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
    """Add points in gaps: wherever two neighbours are more than `every` apart.

    All existing points stay as they are; new ones stand at whole steps after the last point
    before the gap.

    Args:
        data: As for `aggregate_time_series`.
        timestamp_field: Name of the time column.
        value_field: Name of the value column.
        every: Distance of points; the median distance if omitted.
        method: What new points get: `"null"`, `"previous"`, `"linear"` or `"0"`.
        max_gap: Leave gaps that are longer than this.
        by: Column or columns to group by; each group by itself.
        tz: Zone of calendar steps.
        unit: Unit of plain numbers.
        max_windows: More new points than this are refused.
        output: Form of the result; that of the input if omitted.

    Returns:
        Rows of the columns of `by`, time and value, sorted by group and time.

    Example:
        >>> fill_gaps([(0, 1.0), (10, 2.0), (40, 5.0)], every=10, method="linear")["value"]
        array([1., 2., 3., 4., 5.])
    """
    method = read_gap_fill(method)
    step = None if every is None else read_size(every, "every", unit)
    longest = None if max_gap is None else read_size(max_gap, "max_gap", unit).least_ns
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    points = in_zone(points, zone(tz))
    groups = groups_of(points, skipna=False)
    if step is None:
        gaps = np.concatenate([np.diff(ns) for _, ns, _ in groups])
        gaps = gaps[gaps > 0]
        if not len(gaps):
            raise ValueError("every must be given: the points are too few to show their distance")
        step = read_size(int(np.median(gaps)), "every", "ns")
    time, value = points.names
    parts = []
    for key, ns, numbers in groups:
        at, made = _steps(ns, step, points.time_form.tz, longest, max_windows)
        values = _values(ns, numbers, at, made, method)
        order = np.argsort(np.concatenate((ns, at)), kind="stable")
        part = keyed(points.by, key, len(order))
        part[time] = np.concatenate((ns, at))[order]
        parts.append(part | {value: np.concatenate((numbers, values))[order]})
    out, form = flatten(parts), output or points.form
    if form == "records":
        out[value] = none_for_nan(out[value])
    return give(out, points, form, (time,))


def read_gap_fill(method: Any) -> GapFill:
    """Read the name of a method that fills gaps."""
    fill = read_fill(method, "method")
    if fill == "none":
        raise refuse("method", "one of 'null', 'previous', 'linear', '0'", method)
    return fill


def _steps(ns: Any, step: Any, tz: Any, longest: int | None, most: int) -> tuple[Any, Any]:
    """Return the times of the new points, and the position of the point before each one."""
    gaps = np.diff(ns)
    wide = np.flatnonzero(gaps > (step.ns or step.least_ns))
    if longest is not None:
        wide = wide[gaps[wide] <= longest]
    rough = int((gaps[wide] // step.least_ns).sum())
    if rough > 2 * most:
        raise ValueError(f"every makes {rough} points, more than max_windows={most}")
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
