"""The package's functions run inside ClickHouse, with the local answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from shared.core.checks import choice, number, refuse, whole

from .._data.answers import flatten, keyed, none_for_nan
from .._reduce.aggregate import shape
from .._reduce.counters import Growth, Mode, in_mode, read_per, scalars
from .._reduce.downsample import METHODS
from .._reduce.request import SIDES, read_request
from .._reduce.resample import read_gap_fill, read_resample, resampled
from .._reduce.rolling import read_stat
from .._time.sizes import read_size
from .._time.timeform import zone
from .._windows.windows import MAX_WINDOWS
from . import judge, sql
from .table import Scope, Table
from .thin import thin

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from .._data.columns import Points
    from .._data.series import TimeSeries
    from .._reduce.request import Plan, Request
    from .._time.types import Align, Fill, Float64s, Output, Side, Size, Time


class ClickHouseSeries:
    """A table of points on a ClickHouse server, or on the embedded engine.

    Methods have the names, arguments and answers of the local functions. Only results leave the
    server. Every identifier is quoted; no value enters a query unchecked.

    Args:
        client: A clickhouse-connect client; `get_client(dsn="chdb://memory")` is the embedded
            engine.
        table: Name of the table or view; `"database.table"` names both.
        time: The time column: DateTime, DateTime64, Date, or a number in `unit`.
        value: The value column; NULL is NaN.
        by: Column or columns to group by.
        tz: Zone of results and calendar windows; the column's zone if omitted.
        start: Leave out points before this instant.
        end: Leave out points at or after this instant.
        unit: Unit of a number column of times.
        database: The database, for a table whose name has a dot.
    """

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        time: str = "timestamp",
        value: str = "value",
        by: str | Sequence[str] | None = None,
        tz: str | dt.tzinfo | None = None,
        start: Time | None = None,
        end: Time | None = None,
        unit: str = "s",
        database: str | None = None,
    ) -> None:
        """Check the columns; no data is read yet."""
        names, span = (time, value), (start, end)
        self._table = Table(client, table, names, by, zone(tz), span, unit, database)

    def sql(self, method: str | None = None, *args: Any, **arguments: Any) -> str:
        """Return the query of the last call; or run a method with its arguments and return its query.

        Args:
            method: Name of a method such as `"aggregate_time_series"`.
            *args: Its arguments.
            **arguments: Its keyword arguments.
        """
        if method is not None:
            if method.startswith("_") or not hasattr(self, method):
                raise refuse("method", "the name of a method", method)
            getattr(self, method)(*args, **arguments)
        return self._table.last or self._table.points

    def aggregate_time_series(
        self,
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
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.aggregate_time_series` inside ClickHouse, over the series' range and groups."""
        request = read_request(
            window_size,
            aggregation,
            fill=fill,
            align=align,
            include_end=include_end,
            closed=closed,
            offset=offset,
            skipna=skipna,
            unit=self._table.unit,
            max_windows=max_windows,
            output=output,
        )
        return request.give(*self._windows(request, Scope(by, tz, start, end)))

    def _windows(self, request: Request, scope: Scope) -> tuple[dict[str, Any], Points]:
        """Return the columns of all windows, and points without rows, for their form."""
        table, form = self._table.within(scope, request), request.output or "arrays"
        span, dropped = table.span()
        blank = table.blank(form, dropped)
        if span is None:
            return request.empty(table.by), blank
        plan = request.plan(table.time_form, span, table.bounds)
        unique = list(dict.fromkeys(request.names))
        answer = table.run(sql.windows(table.points, plan, table.groups, unique))
        parts = []
        for key, (begin, rows, *found) in table.split(answer):
            columns = dict(zip(unique, found, strict=True))
            part = self._shaped(plan, begin, rows, columns, form)
            parts.append(keyed(table.by, key, len(part["count"])) | part)
        return (flatten(parts) if parts else request.empty(table.by)), blank

    def _shaped(
        self, plan: Plan, begin: Any, rows: Any, found: dict[str, Any], form: Output
    ) -> dict[str, Any]:
        """Place the answered windows among all windows, filled as the local function does."""
        there = rows > 0  # a window with only unknown values is an empty one
        begin, rows = begin[there].astype(np.int64), rows[there]
        found = {name: column[there] for name, column in found.items()}
        if plan.request.fill == "none":
            stops = _stops(plan, begin)
            edges, filled = np.append(begin, 0), np.arange(len(begin))
            counts = rows.astype(np.int64)
        else:
            edges = plan.grid.edges(plan.first, plan.stop + 1)
            filled = np.searchsorted(edges, begin)
            counts = np.zeros(len(edges) - 1, dtype=np.int64)
            counts[filled] = rows
            stops = edges[1:]
        reduced = {name: column.astype(np.float64) for name, column in found.items()}
        part = shape(edges, counts, filled, reduced, plan.request, form)
        return part | {"window_end": stops.astype(np.int64)}

    def resample(
        self,
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
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.resample` inside ClickHouse."""
        request = read_resample(
            every,
            aggregation,
            fill=fill,
            align=align,
            closed=closed,
            offset=offset,
            unit=self._table.unit,
            max_windows=max_windows,
            output=output,
        )
        choice("label", label, SIDES)
        return resampled(*self._windows(request, Scope(by, tz)), request, label)

    @overload
    def calculate_percentile(
        self, q: float, *, by: str | Sequence[str] | None = None
    ) -> float | dict[Any, float]: ...
    @overload
    def calculate_percentile(
        self, q: Sequence[float], *, by: str | Sequence[str] | None = None
    ) -> Float64s | dict[Any, Float64s]: ...
    def calculate_percentile(
        self, q: float | Sequence[float], *, by: str | Sequence[str] | None = None
    ) -> Any:
        """Run `shared.timeseries.calculate_percentile` inside ClickHouse; with `by`, return a dict from group to value."""
        shares = np.asarray(q, dtype=np.float64)
        if not np.all((shares >= 0) & (shares <= 100)):
            raise refuse("q", "from 0 to 100", q)
        table = self._table.within(Scope(by))
        keys = ", ".join(table.groups)
        select = f"{keys}, " if keys else ""
        tail = f"\nGROUP BY {keys}" if keys else ""
        names = [
            f"quantileExactInclusive({share / 100!r})(v) AS q{i}"
            for i, share in enumerate(shares.reshape(-1).tolist())
        ]
        answer = table.run(
            f"SELECT {select}{', '.join(names)} FROM (\n"  # noqa: S608
            f"{table.points}\n) WHERE NOT isNaN(v){tail}\nHAVING count() > 0"
        )
        found = []
        for key, columns in table.split(answer):
            numbers = np.array([c[0] for c in columns], np.float64)
            found.append((key, numbers if shares.ndim else float(numbers[0])))
        if not table.by and not found:
            raise ValueError("the series must hold at least one number, which a percentile needs")
        return scalars(table.by, found)  # type: ignore[arg-type]

    def calculate_rate_of_change(
        self,
        *,
        per: Size = "1s",
        by: str | Sequence[str] | None = None,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.calculate_rate_of_change` inside ClickHouse."""
        scale, table = read_per(per, self._table.unit), self._table.within(Scope(by))
        keys = ", ".join([*table.groups, "ns", "v"])
        answer = table.run(
            f"SELECT {keys}, if(ns = ns0, nan, (v - v0) / toFloat64(ns - ns0) * {scale}) AS rate\n"
            f"FROM (\n{sql.stepped(table.points, table.groups)}\n) WHERE had\nORDER BY {keys}"
        )
        if answer:
            answer.append(answer[-1])
        return table.rows(answer, ["rate", "rate_of_change"], output)

    def counter_increase(
        self,
        *,
        window_size: Size | None = None,
        mode: Mode = "plain",
        by: str | Sequence[str] | None = None,
        start: Time | None = None,
        end: Time | None = None,
        align: Align = "start",
        tz: str | dt.tzinfo | None = None,
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.counter_increase` inside ClickHouse; the end of the range belongs to it."""
        scope = Scope(by, tz, start, end)
        request = read_request(
            window_size,
            unit=self._table.unit,
            include_end=True,
            align=align,
            max_windows=max_windows,
            output=output,
        )
        return self._counter(scope, request, mode, rate=False)

    def counter_rate(
        self,
        *,
        window_size: Size | None = None,
        mode: Mode = "plain",
        by: str | Sequence[str] | None = None,
        start: Time | None = None,
        end: Time | None = None,
        align: Align = "start",
        tz: str | dt.tzinfo | None = None,
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.counter_rate` inside ClickHouse; the end of the range belongs to it."""
        scope = Scope(by, tz, start, end)
        request = read_request(
            window_size,
            unit=self._table.unit,
            include_end=True,
            align=align,
            max_windows=max_windows,
            output=output,
        )
        return self._counter(scope, request, mode, rate=True)

    def _counter(self, scope: Scope, request: Request, mode: Mode, *, rate: bool) -> Any:
        request = in_mode(request, mode)
        table, plan = self._table.within(scope, request), None
        blank = table.blank(request.output or "arrays")
        if request.step is not None:
            span, _ = table.span()
            if span is None:
                return request.give(request.empty(table.by), blank)
            # The end belongs to the range, but not to the window before it.
            inner = replace(request, include_end=False)
            plan = inner.plan(table.time_form, span, (table.bounds[0], None))
        whole_range, parts = [], []
        for key, (begin, *columns) in table.split(
            table.run(sql.growth(table.points, plan, table.groups))
        ):
            if not len(begin):
                continue
            growth = Growth.of(*columns)
            if plan is None:
                whole_range.append((key, growth.whole(table.bounds, mode, rate=rate)))
                continue
            begin = begin.astype(np.int64)
            stop = _stops(plan, begin)
            part = keyed(table.by, key, len(begin))
            part |= {"window_start": begin, "window_end": stop, "count": growth.counts}
            parts.append(part | {"value": growth.result((begin, stop), mode, rate=rate)})
        if plan is None:
            return scalars(table.by, whole_range)
        return request.give(flatten(parts) if parts else request.empty(table.by), blank)

    def fill_gaps(
        self,
        every: Size | None = None,
        *,
        method: str = "null",
        max_gap: Size | None = None,
        by: str | Sequence[str] | None = None,
        tz: str | dt.tzinfo | None = None,
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.fill_gaps` inside ClickHouse; `every` is a duration."""
        fill, unit = read_gap_fill(method), self._table.unit
        step = None if every is None else read_size(every, "every", unit)
        longest = None if max_gap is None else read_size(max_gap, "max_gap", unit).least_ns
        table = self._table.within(Scope(by, tz))
        if step is None:
            rows = table.client.query(sql.median_gap(table.points, table.groups)).result_rows
            if not rows or not rows[0][0]:
                raise ValueError(
                    "every must be given: the points are too few to show their distance"
                )
            step = read_size(int(rows[0][1]), "every", "ns")
        if not step.ns:
            raise refuse("every", "a duration such as '24h', which a calendar step is not", every)
        text = sql.wide_gaps(table.points, table.groups, step.ns, longest)
        rows = table.client.query(text).result_rows
        if rows and int(rows[0][0] or 0) > 2 * max_windows:
            raise ValueError(
                f"every makes {rows[0][0]} points, more than max_windows={max_windows}"
            )
        made = table.rows(
            table.run(sql.gaps(table.points, table.groups, step, fill, longest)), [], output
        )
        if output == "records":
            name = self._table.names[1]
            filled = none_for_nan(np.array([row[name] for row in made], np.float64))
            for row, value in zip(made, filled, strict=True):
                row[name] = value
        return made

    def rolling(
        self,
        window: int,
        stat: str = "mean",
        *,
        min_periods: int | None = None,
        by: str | Sequence[str] | None = None,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.rolling` inside ClickHouse, in order of time; return rows with a column of that name."""
        stat, window = read_stat(stat), whole("window", window)
        least = window if min_periods is None else whole("min_periods", min_periods, least=0)
        if stat not in {"count", "sum"}:
            least = max(least, 1)
        table = self._table.within(Scope(by))
        text = sql.rolled(table.points, table.groups, window, stat, least)
        return table.rows(table.run(text), [stat], output)

    def detect_anomalies(
        self,
        threshold_std_dev: float = 2.0,
        method: str = "zscore",
        *,
        details: bool = False,
        window: int = 30,
        min_periods: int = 5,
        by: str | Sequence[str] | None = None,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.detect_anomalies` inside ClickHouse, and return the anomalies themselves.

        Methods that need a whole series at once (`"seasonal"`, `"esd"`) are not available.

        Returns:
            Rows of group, time, value, `score`, `expected` and `scale` for each anomaly; with
            `details` also the bounds `lower` and `upper`.
        """
        choice("method", method, (*judge.WHOLE, *judge.ROLLING))
        threshold = number("threshold_std_dev", threshold_std_dev, above=0)
        window, min_periods = whole("window", window, least=2), whole("min_periods", min_periods)
        table = self._table.within(Scope(by))
        if method in judge.WHOLE:
            text = judge.whole_baseline(table.points, table.groups, method)
        else:
            least = min(min_periods, window)
            text = judge.rolling_baseline(table.points, table.groups, method, window, least)
        answer = table.run(judge.judged(text, table.groups, threshold))
        names = ["score", "expected", "scale"]
        if details:
            names += ["lower", "upper"]
            if answer:
                center, reach = (np.asarray(c, np.float64) for c in answer[-2:])
                answer += [center - reach * threshold, center + reach * threshold]
        return table.rows(answer, names, output)

    def downsample(self, n: int = 1000, method: str = "lttb") -> TimeSeries:
        """Run `shared.timeseries.downsample` inside ClickHouse, and return the chosen points as a series.

        `"lttb"` folds over all points in the server's memory; `"minmaxlttb"` reduces them to
        four times `n` first: use it for very large tables.
        """
        choice("method", method, METHODS)
        if self._table.by:
            raise ValueError("by must be omitted to downsample: one line at a time can be drawn")
        return thin(self._table, n, method)


def _stops(plan: Plan, begin: Any) -> Any:
    """Return the ends of the windows that start at some edges."""
    if plan.grid.step.ns:
        return begin + plan.grid.step.ns
    return np.array([plan.grid.edge(plan.grid.locate(int(b)) + 1) for b in begin], np.int64)
