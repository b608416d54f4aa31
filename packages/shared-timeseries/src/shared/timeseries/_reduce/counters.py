"""Rates of change, and counters that start again from zero."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from shared.core.checks import choice, refuse

from .._data.answers import flatten, give, keyed
from .._data.columns import is_sorted
from .._data.points import read_points
from .._kernels.runs import cuts_between
from .._time.sizes import read_size
from .._windows.windows import MAX_WINDOWS
from .aggregate import span_of
from .request import read_request

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from .._data.columns import Points
    from .._time.types import Align, Data, Float64s, Int64s, Output, Size, Time, TimeField
    from .request import Bounds, Request

Mode = Literal["plain", "promql"]
_SECOND = 1e9


def calculate_rate_of_change(
    data: Data,
    timestamp_field: TimeField = None,
    value_field: str | None = None,
    *,
    per: Size = "1s",
    by: str | Sequence[str] | None = None,
    unit: str = "s",
    output: Output | None = None,
) -> Any:
    """Calculate the change per second (or per any duration) from each point to the next.

    NaN values are left out. Two points at the same time have no rate: NaN, never 0 or infinity.

    Args:
        data: As for `aggregate_time_series`.
        timestamp_field: Name of the time column.
        value_field: Name of the value column.
        per: Duration that the rate is counted in.
        by: Column or columns to group by.
        unit: Unit of plain numbers.
        output: Form of the result; that of the input if omitted.

    Returns:
        One row for each point but the first: the columns of `by`, its time and value under their
        own names, and `rate`, which is also called `rate_of_change`.

    Example:
        >>> calculate_rate_of_change([{"t": 0, "v": 1}, {"t": 2, "v": 7}], "t", "v")
        [{'t': 2, 'v': 7.0, 'rate': 3.0, 'rate_of_change': 3.0}]
    """
    scale = read_per(per, unit)
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    time, value = points.names
    parts = []
    for key, ns, numbers in groups_of(points):
        seconds = np.diff(ns).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.diff(numbers) / seconds * scale
        rate[seconds == 0] = np.nan
        part = keyed(points.by, key, len(rate))
        columns = {time: ns[1:], value: numbers[1:], "rate": rate, "rate_of_change": rate.copy()}
        parts.append(part | columns)
    return give(flatten(parts), points, output, (time,))


def read_per(per: Size, unit: str) -> int:
    """Read the duration that a rate is counted in, as nanoseconds."""
    step = read_size(per, "per", unit)
    scale = step.ns or step.days * 86_400 * 10**9
    if not scale:
        raise refuse("per", "of a fixed length", per)
    return scale


def counter_increase(
    data: Data,
    timestamp_field: TimeField = None,
    value_field: str | None = None,
    *,
    window_size: Size | None = None,
    mode: Mode = "plain",
    by: str | Sequence[str] | None = None,
    start: Time | None = None,
    end: Time | None = None,
    align: Align = "start",
    tz: str | dt.tzinfo | None = None,
    unit: str = "s",
    output: Output | None = None,
    max_windows: int = MAX_WINDOWS,
) -> Any:
    """Calculate how much a counter grew, counting a fall as a restart from zero.

    Args:
        data: As for `aggregate_time_series`.
        timestamp_field: Name of the time column.
        value_field: Name of the value column.
        window_size: Return one row per window instead of one number.
        mode: `"plain"`: what was seen to grow; a step belongs to the window of its later point,
            so that the windows add up to the whole. `"promql"`: each window by itself, extrapolated to
            its edges as `increase` of Prometheus 3 does, whose ranges are open on the left:
            `(start, end]` (https://prometheus.io/docs/prometheus/latest/querying/functions/#increase).
        by: Column or columns to group by.
        start: Start of the range; the first point if omitted.
        end: End of the range, which belongs to it; the last point if omitted.
        align: Where windows start.
        tz: Zone of calendar windows.
        unit: Unit of plain numbers.
        output: Form of the windows.
        max_windows: More windows than this are refused.

    Returns:
        One float; with `by` a dict from group to float; with `window_size` rows of
        `window_start`, `window_end`, `count` and `value`. NaN where there are fewer than two
        points.

    Example:
        >>> counter_increase([(0, 10), (60, 20), (120, 5), (180, 15)])
        25.0
    """
    request = read_request(
        window_size,
        align=align,
        start=start,
        end=end,
        include_end=True,
        tz=tz,
        unit=unit,
        max_windows=max_windows,
        output=output,
    )
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    return _counter(points, request, mode, rate=False)


def counter_rate(
    data: Data,
    timestamp_field: TimeField = None,
    value_field: str | None = None,
    *,
    window_size: Size | None = None,
    mode: Mode = "plain",
    by: str | Sequence[str] | None = None,
    start: Time | None = None,
    end: Time | None = None,
    align: Align = "start",
    tz: str | dt.tzinfo | None = None,
    unit: str = "s",
    output: Output | None = None,
    max_windows: int = MAX_WINDOWS,
) -> Any:
    """Calculate how fast a counter grew, per second: `counter_increase` by the time it took.

    In `"plain"` mode the time is that of the steps seen, in `"promql"` mode the whole window.
    Arguments and results are those of `counter_increase`.

    Example:
        >>> round(counter_rate([(0, 10), (60, 20), (120, 5), (180, 15)]), 6)
        0.138889
    """
    request = read_request(
        window_size,
        align=align,
        start=start,
        end=end,
        include_end=True,
        tz=tz,
        unit=unit,
        max_windows=max_windows,
        output=output,
    )
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    return _counter(points, request, mode, rate=True)


def _counter(points: Points, request: Request, mode: Mode, *, rate: bool) -> Any:
    request = in_mode(request, mode)
    points, bounds = request.limit(points)
    groups = groups_of(points)
    if request.step is None:
        found = []
        for key, ns, numbers in groups:
            growth = _growth(ns, numbers, np.array([0, len(ns)]))
            found.append((key, growth.whole(bounds, mode, rate=rate)))
        return scalars(points.by, found)
    if not len(points.times):
        return request.give(request.empty(points.by), points)
    # The end belongs to the range, but not to the window before it.
    request = replace(request, include_end=False)
    plan = request.plan(points.time_form, span_of(points), (bounds[0], None))
    edges = plan.grid.edges(plan.first, plan.stop + 1)
    parts = []
    for key, ns, numbers in groups:
        growth = _growth(ns, numbers, cuts_between(ns, edges + request.late))
        value = growth.result((edges[:-1], edges[1:]), mode, rate=rate)
        there = np.flatnonzero(growth.counts)
        part = keyed(points.by, key, len(there))
        part |= {"window_start": edges[:-1][there], "window_end": edges[1:][there]}
        parts.append(part | {"count": growth.counts[there], "value": value[there]})
    return request.give(flatten(parts), points)


def in_mode(request: Request, mode: Mode) -> Request:
    """Return the request with the ranges of a mode: those of Prometheus 3 are open on the left."""
    choice("mode", mode, get_args(Mode))
    return replace(request, closed="right") if mode == "promql" else request


def scalars(
    by: Sequence[str], found: Sequence[tuple[tuple[Any, ...], float]]
) -> float | dict[Any, float]:
    """Return one number, or with `by` a dict from group to number."""
    if not by:
        return found[0][1] if found else float("nan")
    return {(key[0] if len(key) == 1 else key): value for key, value in found}


def groups_of(
    points: Points, *, skipna: bool = True
) -> list[tuple[tuple[Any, ...], Int64s, Float64s]]:
    """Return each group's times and values without NaN, by time and, at equal times, by value."""
    out = []
    nothing = ((None,) * len(points.by),)
    for code, key in enumerate(points.keys or nothing):
        ns, numbers = points.times, points.values
        if points.codes is not None:
            ns, numbers = ns[points.codes == code], numbers[points.codes == code]
        if skipna and np.isnan(numbers).any():
            ns, numbers = ns[~np.isnan(numbers)], numbers[~np.isnan(numbers)]
        if not is_sorted(ns) or bool((ns[1:] == ns[:-1]).any()):
            order = np.lexsort((numbers, ns))
            ns, numbers = ns[order], numbers[order]
        out.append((key, ns, numbers))
    return out


@dataclass(frozen=True, slots=True)
class Growth:
    """What windows of a counter hold, before rates are made of it. Times in nanoseconds."""

    counts: Int64s
    owned: Float64s
    """Growth over the steps that end in the window, also the one that started before it."""
    took: Int64s
    """Time of those steps."""
    inner: Float64s
    """Growth between the window's own points."""
    first: Int64s
    last: Int64s
    first_value: Float64s

    @classmethod
    def of(cls, *columns: Any) -> Growth:
        """Make one from the columns of a query's answer, in the order of the fields."""
        kinds = (np.int64, np.float64, np.int64, np.float64, np.int64, np.int64, np.float64)
        return cls(*(c.astype(kind) for c, kind in zip(columns, kinds, strict=True)))

    def whole(self, bounds: Bounds, mode: Mode, *, rate: bool) -> float:
        """Return the increase or rate of the one run that there is, over a range."""
        low, high = bounds
        begin = self.first if low is None else np.array([low])
        stop = self.last if high is None else np.array([high])
        return float(self.result((begin, stop), mode, rate=rate)[0])

    def result(self, edges: tuple[Int64s, Int64s], mode: Mode, *, rate: bool) -> Float64s:
        """Return the increase or rate of each window, NaN where too few points are known."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if mode == "plain":
                known = self.took > 0 if rate else self.took >= 0
                return np.where(known, self.owned / (self.took / _SECOND if rate else 1), np.nan)
            sampled = (self.last - self.first) / _SECOND
            mean = sampled / (self.counts - 1)
            left = (self.first - edges[0]) / _SECOND
            right = (edges[1] - self.last) / _SECOND
            left = np.where(left >= mean * 1.1, mean / 2, left)
            right = np.where(right >= mean * 1.1, mean / 2, right)
            # A counter cannot have been below zero.
            shrunk = (self.inner > 0) & (self.first_value >= 0)
            zero = np.where(shrunk, sampled * self.first_value / self.inner, np.inf)
            grown = self.inner * (sampled + np.minimum(left, zero) + right) / sampled
            if rate:
                grown = grown / ((edges[1] - edges[0]) / _SECOND)
        known = (self.counts >= 2) & (sampled > 0)
        return np.where(known, grown, np.nan)


def _growth(ns: Int64s, numbers: Float64s, cuts: Int64s) -> Growth:
    """Return the growth of the runs of sorted points between cuts; a run without a step took -1."""
    counts = np.diff(cuts)
    if not len(ns):
        nothing = np.zeros(len(counts))
        none = np.full(len(counts), -1)
        return Growth(counts, nothing, none, nothing, none, none, nothing)
    steps = np.diff(numbers)
    steps = np.where(steps < 0, numbers[1:], steps)
    first = np.minimum(cuts[:-1], len(ns) - 1)
    last = np.maximum(cuts[1:] - 1, 0)
    before = np.maximum(first - 1, 0)
    inner, owned = np.zeros(len(counts)), np.zeros(len(counts))
    padded = np.append(steps, 0.0)
    some = np.flatnonzero(counts)
    if len(some):
        # reduceat over pairs of places: the even ones are the wanted sums.
        for out, begin in ((inner, first), (owned, before)):
            pairs = np.stack((begin[some], last[some]), axis=1).reshape(-1)
            sums = np.add.reduceat(padded, pairs)[::2]
            out[some] = np.where(last[some] > begin[some], sums, 0.0)
    took = np.where((counts > 0) & (last > before), ns[last] - ns[before], -1)
    return Growth(counts, owned, took, inner, ns[first], ns[last], numbers[first])
