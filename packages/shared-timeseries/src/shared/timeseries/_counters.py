"""Rates of change, and counters that start again from zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ._aggregate import limit, plan_windows, span_of
from ._kernels import cuts_between
from ._points import Points, flatten, give, read_points
from ._series import is_sorted
from ._sizes import read_size
from ._windows import MAX_WINDOWS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ._types import Align, Data, Float64s, Int64s, Output, Size, Time, TimeField

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
    """Change per second (or per any duration) from each point to the next.

    NaN values are left out. Two points at one time have no rate: NaN, never 0 or infinity.

    Args:
        data: As for `aggregate_time_series`.
        timestamp_field: Name of the time column.
        value_field: Name of the value column.
        per: Duration that the rate is counted in.
        by: Column or columns to group by.
        unit: Unit of plain numbers.
        output: Form of the result; that of the input when not given.

    Returns:
        A row for each point but the first: the columns of `by`, its time and value under the
        names they came with, and `rate`.

    Example:
        >>> calculate_rate_of_change([{"t": 0, "v": 1}, {"t": 2, "v": 7}], "t", "v")
        [{'t': 2, 'v': 7.0, 'rate': 3.0}]
    """
    step = read_size(per, "per", unit)
    scale = step.ns or step.days * 86_400 * 10**9
    if not scale:
        raise ValueError(f"per: {per!r} has no fixed length")
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    names = points.time_name, points.value_name
    parts = []
    for key, ns, numbers in groups_of(points):
        seconds = np.diff(ns).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.diff(numbers) / seconds * scale
        rate[seconds == 0] = np.nan
        part: dict[str, Any] = {n: [k] * len(rate) for n, k in zip(points.by, key, strict=True)}
        parts.append(part | {names[0]: ns[1:], names[1]: numbers[1:], "rate": rate})
    return give(flatten(parts), points, output, names[:1])


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
    """How much a counter grew, counting a fall as a restart from zero.

    Args:
        data: As for `aggregate_time_series`.
        timestamp_field: Name of the time column.
        value_field: Name of the value column.
        window_size: Give one row a window instead of one number.
        mode: `"plain"`: what was seen to grow; a step belongs to the window of its later point,
            so windows add up to the whole. `"promql"`: each window by itself, extrapolated to
            its edges as Prometheus' `increase` does
            (https://prometheus.io/docs/prometheus/latest/querying/functions/#increase).
        by: Column or columns to group by.
        start: Begin of the range; the first point when not given.
        end: End of the range, which belongs to it; the last point when not given.
        align: Where windows begin.
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
    return _counter(data, timestamp_field, value_field, window_size=window_size, mode=mode, by=by,
                    start=start, end=end, align=align, tz=tz, unit=unit, output=output,
                    max_windows=max_windows, rate=False)  # fmt: skip


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
    """How fast a counter grew, per second: `counter_increase` by the time it took.

    In `"plain"` mode the time is that of the steps seen, in `"promql"` mode the whole window.
    Arguments and results are those of `counter_increase`.

    Example:
        >>> round(counter_rate([(0, 10), (60, 20), (120, 5), (180, 15)]), 6)
        0.138889
    """
    return _counter(data, timestamp_field, value_field, window_size=window_size, mode=mode, by=by,
                    start=start, end=end, align=align, tz=tz, unit=unit, output=output,
                    max_windows=max_windows, rate=True)  # fmt: skip


def _counter(
    data: Data,
    timestamp_field: TimeField,
    value_field: str | None,
    *,
    window_size: Size | None,
    mode: Mode,
    by: str | Sequence[str] | None,
    start: Time | None,
    end: Time | None,
    align: Align,
    tz: str | dt.tzinfo | None,
    unit: str,
    output: Output | None,
    max_windows: int,
    rate: bool,
) -> Any:
    if mode not in {"plain", "promql"}:
        raise ValueError(f"mode: {mode!r} is not one of plain, promql")
    step = None if window_size is None else read_size(window_size, "window_size", unit)
    points = read_points(data, timestamp_field, value_field, by=by, unit=unit)
    points, low, high = limit(points, start, end, tz=tz, unit=unit, closed=True)
    groups = groups_of(points)
    if step is None:
        out: dict[Any, float] = {}
        for key, ns, numbers in groups:
            found = _growth(ns, numbers, np.array([0, len(ns)]))
            begin = found.first if low is None else np.array([low])
            stop = found.last if high is None else np.array([high])
            name = key[0] if len(key) == 1 else key
            out[name] = float(found.result((begin, stop), mode, rate=rate)[0])
        return out if points.by else next(iter(out.values()), float("nan"))
    times = ("window_start", "window_end")
    if not len(points.times):
        nothing: dict[str, Any] = {name: [] for name in points.by}
        nothing |= {name: np.empty(0, np.int64) for name in (*times, "count")}
        return give(nothing | {"value": np.empty(0)}, points, output, times)
    plan = plan_windows(
        points.clock, step, align, span_of(points), (low, None), names=[], fill="none",
        skipna=True, include_end=False, max_windows=max_windows,
    )  # fmt: skip
    edges = plan.grid.edges(plan.first, plan.stop + 1)
    parts = []
    for key, ns, numbers in groups:
        found = _growth(ns, numbers, cuts_between(ns, edges))
        value = found.result((edges[:-1], edges[1:]), mode, rate=rate)
        there = np.flatnonzero(found.counts)
        part: dict[str, Any] = {n: [k] * len(there) for n, k in zip(points.by, key, strict=True)}
        part |= {"window_start": edges[:-1][there], "window_end": edges[1:][there]}
        parts.append(part | {"count": found.counts[there], "value": value[there]})
    return give(flatten(parts), points, output, times)


def groups_of(
    points: Points, *, skipna: bool = True
) -> list[tuple[tuple[Any, ...], Int64s, Float64s]]:
    """Each group's times and values without NaN, by time and, at equal times, by value."""
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
    """Growth over the steps that end in the window, also the one that began before it."""
    took: Int64s
    """Time of those steps."""
    inner: Float64s
    """Growth between the window's own points."""
    first: Int64s
    last: Int64s
    first_value: Float64s

    def result(self, edges: tuple[Int64s, Int64s], mode: Mode, *, rate: bool) -> Float64s:
        """Increase or rate of each window, NaN where too few points are known."""
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
    """Growth of the runs of sorted points between cuts; a run without a step took -1."""
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
