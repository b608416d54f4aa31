"""The package's functions run inside ClickHouse, with the local answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from shared.core.checks import choice, number, refuse, whole

from .._data.answers import flatten, keyed, none_for_nan
from .._reduce.aggregate import shape
from .._reduce.counters import Growth, Mode, read_per, scalars
from .._reduce.downsample import METHODS
from .._reduce.request import read_request
from .._reduce.resample import read_gap_fill, read_resample, resampled
from .._reduce.rolling import read_stat
from .._time.sizes import read_size
from .._time.timeform import zone
from .._windows.windows import MAX_WINDOWS
from . import judge, sql
from .table import Table
from .thin import thin

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from .._data.columns import Points
    from .._data.series import TimeSeries
    from .._reduce.request import Plan, Request
    from .._time.types import Align, Fill, Output, Size, Time


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
        fill: Fill = "none",
        align: Align = "start",
        include_end: bool = False,
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
            skipna=skipna,
            unit=self._table.unit,
            max_windows=max_windows,
            output=output,
        )
        return request.give(*self._windows(request))

    def _windows(self, request: Request) -> tuple[dict[str, Any], Points]:
        """Return the columns of all windows, and points without rows, for their form."""
        table, form = self._table, request.output or "arrays"
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
        fill: Fill = "null",
        align: Align = "epoch",
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.resample` inside ClickHouse."""
        request = read_resample(
            every,
            aggregation,
            fill=fill,
            align=align,
            unit=self._table.unit,
            max_windows=max_windows,
            output=output,
        )
        return resampled(*self._windows(request), request)

    def calculate_percentile(self, q: float) -> float | dict[Any, float]:
        """Run `shared.timeseries.calculate_percentile` inside ClickHouse; with `by`, return a dict from group to value."""
        if not 0 <= q <= 100:
            raise refuse("q", "from 0 to 100", q)
        keys = ", ".join(self._table.groups)
        select = f"{keys}, " if keys else ""
        tail = f"\nGROUP BY {keys}" if keys else ""
        answer = self._table.run(
            f"SELECT {select}quantileExactInclusive({q / 100!r})(v) AS out FROM (\n"  # noqa: S608
            f"{self._table.points}\n) WHERE NOT isNaN(v){tail}\nHAVING count() > 0"
        )
        found = [(key, float(c[0][0])) for key, c in self._table.split(answer)]
        if not self._table.by and not found:
            raise ValueError("the series must hold at least one number, which a percentile needs")
        return scalars(self._table.by, found)

    def calculate_rate_of_change(self, *, per: Size = "1s", output: Output = "arrays") -> Any:
        """Run `shared.timeseries.calculate_rate_of_change` inside ClickHouse."""
        scale = read_per(per, self._table.unit)
        keys = ", ".join([*self._table.groups, "ns", "v"])
        answer = self._table.run(
            f"SELECT {keys}, if(ns = ns0, nan, (v - v0) / toFloat64(ns - ns0) * {scale}) AS rate\n"
            f"FROM (\n{sql.stepped(self._table.points, self._table.groups)}\n) WHERE had\nORDER BY {keys}"
        )
        if answer:
            answer.append(answer[-1])
        return self._table.rows(answer, ["rate", "rate_of_change"], output)

    def counter_increase(
        self,
        *,
        window_size: Size | None = None,
        mode: Mode = "plain",
        align: Align = "start",
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.counter_increase` inside ClickHouse; the series' `end` ends the range."""
        return self._counter(
            window_size, mode, rate=False, align=align, max_windows=max_windows, output=output
        )

    def counter_rate(
        self,
        *,
        window_size: Size | None = None,
        mode: Mode = "plain",
        align: Align = "start",
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.counter_rate` inside ClickHouse; the series' `end` ends the range."""
        return self._counter(
            window_size, mode, rate=True, align=align, max_windows=max_windows, output=output
        )

    def _counter(self, size: Size | None, mode: Mode, *, rate: bool, **asked: Any) -> Any:
        choice("mode", mode, get_args(Mode))
        request = read_request(size, unit=self._table.unit, **asked)
        table, plan = self._table, None
        blank = table.blank(request.output or "arrays")
        if request.step is not None:
            span, _ = table.span()
            if span is None:
                return request.give(request.empty(table.by), blank)
            plan = request.plan(table.time_form, span, (table.bounds[0], None))
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
        every: Size,
        *,
        method: str = "null",
        max_gap: Size | None = None,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.fill_gaps` inside ClickHouse; `every` is a duration."""
        fill = read_gap_fill(method)
        step = read_size(every, "every", self._table.unit)
        if not step.ns:
            raise refuse("every", "a duration such as '24h', which a calendar step is not", every)
        longest = (
            None if max_gap is None else read_size(max_gap, "max_gap", self._table.unit).least_ns
        )
        text = sql.gaps(self._table.points, self._table.groups, step, fill, longest)
        made = self._table.rows(self._table.run(text), [], output)
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
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.rolling` inside ClickHouse, in order of time; return rows with a column of that name."""
        stat, window = read_stat(stat), whole("window", window)
        least = window if min_periods is None else whole("min_periods", min_periods, least=0)
        if stat not in {"count", "sum"}:
            least = max(least, 1)
        text = sql.rolled(self._table.points, self._table.groups, window, stat, least)
        return self._table.rows(self._table.run(text), [stat], output)

    def detect_anomalies(
        self,
        threshold_std_dev: float = 2.0,
        method: str = "zscore",
        *,
        window: int = 30,
        min_periods: int = 5,
        output: Output = "arrays",
    ) -> Any:
        """Run `shared.timeseries.detect_anomalies` inside ClickHouse, and return the anomalies themselves.

        Methods that need a whole series at once (`"seasonal"`, `"esd"`) are not available.

        Returns:
            Rows of group, time, value, `score`, `expected` and `scale` for each anomaly.
        """
        choice("method", method, (*judge.WHOLE, *judge.ROLLING))
        threshold = number("threshold_std_dev", threshold_std_dev, above=0)
        window, min_periods = whole("window", window, least=2), whole("min_periods", min_periods)
        if method in judge.WHOLE:
            text = judge.whole_baseline(self._table.points, self._table.groups, method)
        else:
            least = min(min_periods, window)
            text = judge.rolling_baseline(
                self._table.points, self._table.groups, method, window, least
            )
        answer = self._table.run(judge.judged(text, self._table.groups, threshold))
        return self._table.rows(answer, ["score", "expected", "scale"], output)

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
