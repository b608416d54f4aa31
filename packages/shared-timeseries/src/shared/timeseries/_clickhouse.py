"""The package's functions run inside ClickHouse, with the local answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _clickhouse_judge as judge
from . import _clickhouse_sql as sql
from ._aggregate import Plan, check_fill, labelled, plan_windows, shape
from ._checks import above_zero, whole
from ._clickhouse_table import Table
from ._clickhouse_thin import thin
from ._clock import read_time
from ._counters import Growth, Mode
from ._downsample import METHODS
from ._kernels import quantile_of, read_aggregations
from ._points import flatten, give
from ._resample import read_size_text
from ._rolling import STATS
from ._sizes import read_size
from ._windows import MAX_WINDOWS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ._series import TimeSeries
    from ._types import Align, Fill, Output, Size, Time


class ClickHouseSeries:
    """A table of points on a ClickHouse server, or on the embedded engine.

    Methods have the names, arguments and answers of the local functions. Only results leave the
    server. Every identifier is quoted; no value is pasted into a query unchecked.

    Args:
        client: A clickhouse-connect client; `get_client(dsn="chdb://memory")` is the embedded
            engine.
        table: Name of the table or view; `"database.table"` names both.
        time: The time column: DateTime, DateTime64, Date, or a number in `unit`.
        value: The value column; NULL is NaN.
        by: Column or columns to group by.
        tz: Zone of results and calendar windows; the column's zone when not given.
        start: Leave out points before this instant.
        end: Leave out points at or after this instant.
        unit: Unit of a number column of times.
        database: The database, for a table whose name has a dot.
    """

    def __init__(
        self,
        client: Any,
        table: str,
        time: str = "timestamp",
        value: str = "value",
        by: str | Sequence[str] | None = None,
        *,
        tz: str | dt.tzinfo | None = None,
        start: Time | None = None,
        end: Time | None = None,
        unit: str = "s",
        database: str | None = None,
    ) -> None:
        """Look at the columns; nothing is read yet."""
        self._table = Table(
            client,
            table,
            time,
            value,
            by,
            tz=tz,
            start=start,
            end=end,
            unit=unit,
            database=database,
        )

    def sql(self, method: str | None = None, *args: Any, **arguments: Any) -> str:
        """The query of the last call; or run a method with its arguments and show its query.

        Args:
            method: Name of a method such as `"aggregate_time_series"`.
            *args: Its arguments.
            **arguments: Its keyword arguments.
        """
        if method is not None:
            if method.startswith("_") or not hasattr(self, method):
                raise ValueError(f"method: there is no {method!r}")
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
        """As `shared.timeseries.aggregate_time_series`, over the series' range and groups."""
        given, names, single = read_aggregations(aggregation)
        step = read_size(window_size, "window_size", self._table.unit)
        fill = check_fill(fill)
        span, dropped = self._table.span()
        blank = self._table.blank(output, dropped)
        shown = ["value"] if single else given
        times = ("window_start", "window_end")
        nothing: dict[str, Any] = {name: [] for name in self._table.by}
        nothing |= {
            column: np.empty(0, np.int64 if column in {*times, "count"} else np.float64)
            for column in (*times, "count", *shown)
        }
        if span is None:
            return give(nothing, blank, output, times)
        plan = plan_windows(
            self._table.clock, step, align, span, self._table.bounds, names=names, fill=fill, skipna=skipna,
            include_end=include_end, max_windows=max_windows,
        )  # fmt: skip
        unique = list(dict.fromkeys(names))
        answer = self._table.run(sql.windows(self._table.points, plan, self._table.groups, unique))
        parts = []
        for key, (begin, rows, *found) in self._table.split(answer):
            part = self._shaped(plan, begin, rows, dict(zip(unique, found, strict=True)), output)
            parts.append(labelled(part, self._table.by, key, shown, names))
        return give(flatten(parts) if parts else nothing, blank, output, times)

    def _shaped(
        self, plan: Plan, begin: Any, rows: Any, found: dict[str, Any], form: Output
    ) -> dict[str, Any]:
        """The answered windows among all windows, filled as the local function does."""
        there = rows > 0  # a window of nothing but unknown values is an empty one
        begin, rows = begin[there].astype(np.int64), rows[there]
        found = {name: column[there] for name, column in found.items()}
        if plan.fill == "none":
            stops = np.array([plan.grid.edge(plan.grid.locate(int(b)) + 1) for b in begin])
            if plan.grid.step.ns:
                stops = begin + plan.grid.step.ns
            edges, filled = np.append(begin, 0), np.arange(len(begin))
            counts = rows.astype(np.int64)
        else:
            edges = plan.grid.edges(plan.first, plan.stop + 1)
            filled = np.searchsorted(edges, begin)
            counts = np.zeros(len(edges) - 1, dtype=np.int64)
            counts[filled] = rows
            stops = edges[1:]
        reduced = {name: column.astype(np.float64) for name, column in found.items()}
        part = shape(edges, counts, filled, reduced, plan.fill, form)
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
        """As `shared.timeseries.resample`."""
        columns = self.aggregate_time_series(
            read_size_text(every, self._table.unit), aggregation, fill=fill, align=align,
            max_windows=max_windows, output="records",
        )  # fmt: skip
        rows = [
            [row[name] for row in columns] for name in (*self._table.by, "window_start", "value")
        ]
        out: dict[str, Any] = dict(zip((*self._table.by, *self._table.names), rows, strict=True))
        ns = [read_time(t, "t", self._table.unit)[0] for t in rows[-2]]
        out[self._table.names[0]] = np.array(ns, dtype=np.int64)
        if output != "records":
            out[self._table.names[1]] = np.array(rows[-1], dtype=np.float64)
        return give(out, self._table.blank(output), output, self._table.names[:1])

    def calculate_percentile(self, q: float) -> float | dict[Any, float]:
        """As `shared.timeseries.calculate_percentile`; with `by` a dict from group to value."""
        if not 0 <= q <= 100:
            raise ValueError(f"q: {q} is not between 0 and 100")
        keys = ", ".join(self._table.groups)
        select = f"{keys}, " if keys else ""
        tail = f"\nGROUP BY {keys}" if keys else ""
        answer = self._table.run(
            f"SELECT {select}quantileExactInclusive({q / 100!r})(v) AS out FROM (\n"  # noqa: S608
            f"{self._table.points}\n) WHERE NOT isNaN(v){tail}"
        )
        return self._table.scalars([(key, float(c[0][0])) for key, c in self._table.split(answer)])

    def calculate_rate_of_change(self, *, per: Size = "1s", output: Output = "arrays") -> Any:
        """As `shared.timeseries.calculate_rate_of_change`."""
        step = read_size(per, "per", self._table.unit)
        scale = step.ns or step.days * 86_400 * 10**9
        if not scale:
            raise ValueError(f"per: {per!r} has no fixed length")
        keys = ", ".join([*self._table.groups, "ns", "v"])
        answer = self._table.run(
            f"SELECT {keys}, if(ns = ns0, nan, (v - v0) / toFloat64(ns - ns0) * {scale}) AS rate\n"
            f"FROM (\n{sql.stepped(self._table.points, self._table.groups)}\n) WHERE had\nORDER BY {keys}"
        )
        return self._table.rows(answer, ["rate"], output)

    def counter_increase(
        self,
        *,
        window_size: Size | None = None,
        mode: Mode = "plain",
        align: Align = "start",
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """As `shared.timeseries.counter_increase`; the series' `end` is the end of the range."""
        return self._counter(window_size, mode, align, max_windows, output, rate=False)

    def counter_rate(
        self,
        *,
        window_size: Size | None = None,
        mode: Mode = "plain",
        align: Align = "start",
        max_windows: int = MAX_WINDOWS,
        output: Output = "arrays",
    ) -> Any:
        """As `shared.timeseries.counter_rate`; the series' `end` is the end of the range."""
        return self._counter(window_size, mode, align, max_windows, output, rate=True)

    def _counter(
        self,
        size: Size | None,
        mode: Mode,
        align: Align,
        most: int,
        output: Output,
        *,
        rate: bool,
    ) -> Any:
        if mode not in {"plain", "promql"}:
            raise ValueError(f"mode: {mode!r} is not one of plain, promql")
        step = None if size is None else read_size(size, "window_size", self._table.unit)
        times = ("window_start", "window_end")
        nothing: dict[str, Any] = {name: [] for name in self._table.by}
        nothing |= {name: np.empty(0, np.int64) for name in (*times, "count")}
        nothing["value"] = np.empty(0)
        plan = None
        if step is not None:
            span, _ = self._table.span()
            if span is None:
                return give(nothing, self._table.blank(output), output, times)
            plan = plan_windows(
                self._table.clock, step, align, span, (self._table.bounds[0], None), names=[], fill="none",
                skipna=True, include_end=False, max_windows=most,
            )  # fmt: skip
        answer = self._table.run(sql.growth(self._table.points, plan, self._table.groups))
        low, high = self._table.bounds
        scalars, parts = [], []
        for key, (begin, rows, owned, took, inner, first, last, value) in self._table.split(answer):
            if not len(begin):
                continue
            found = Growth(
                rows.astype(np.int64), owned.astype(np.float64), took.astype(np.int64),
                inner.astype(np.float64), first.astype(np.int64), last.astype(np.int64),
                value.astype(np.float64),
            )  # fmt: skip
            if plan is None:
                edges = (
                    found.first if low is None else np.array([low]),
                    found.last if high is None else np.array([high]),
                )
                scalars.append((key, float(found.result(edges, mode, rate=rate)[0])))
                continue
            begin = begin.astype(np.int64)
            stop = np.array([plan.grid.edge(plan.grid.locate(int(b)) + 1) for b in begin])
            part: dict[str, Any] = {
                n: [k] * len(begin) for n, k in zip(self._table.by, key, strict=True)
            }
            part |= {"window_start": begin, "window_end": stop, "count": found.counts}
            parts.append(part | {"value": found.result((begin, stop), mode, rate=rate)})
        if plan is None:
            return self._table.scalars(scalars)
        return give(flatten(parts) if parts else nothing, self._table.blank(output), output, times)

    def fill_gaps(
        self,
        every: Size,
        *,
        method: str = "null",
        max_gap: Size | None = None,
        output: Output = "arrays",
    ) -> Any:
        """As `shared.timeseries.fill_gaps`; `every` is a duration."""
        if check_fill(method) == "none":
            raise ValueError("method: 'none' fills nothing; use null, previous, linear or 0")
        step = read_size(every, "every", self._table.unit)
        if not step.ns:
            raise ValueError(
                f"every: {every!r} is a calendar step; a duration such as '24h' is needed"
            )
        longest = (
            None if max_gap is None else read_size(max_gap, "max_gap", self._table.unit).least_ns
        )
        text = sql.gaps(
            self._table.points, self._table.groups, step, str(check_fill(method)), longest
        )
        made = self._table.rows(self._table.run(text), [], output)
        if output == "records":
            for row in made:
                value = row[self._table.names[1]]
                row[self._table.names[1]] = None if value != value else value  # noqa: PLR0124
        return made

    def rolling(
        self,
        window: int,
        stat: str = "mean",
        *,
        min_periods: int | None = None,
        output: Output = "arrays",
    ) -> Any:
        """As `shared.timeseries.rolling`, in order of time: rows with a column of that name."""
        stat = "mean" if stat == "avg" else stat
        if stat not in STATS and quantile_of(stat) is None:
            raise ValueError(f"stat: {stat!r} is not one of {', '.join(STATS)} or any pNN")
        window = whole(window, "window", 1)
        least = window if min_periods is None else whole(min_periods, "min_periods", 0)
        if stat != "count" and stat != "sum":  # noqa: PLR1714
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
        """As `shared.timeseries.detect_anomalies`, but the anomalies themselves.

        Methods that need a whole series at once (`"seasonal"`, `"esd"`) are not there.

        Returns:
            Rows of group, time, value, `score`, `expected` and `scale` for each anomaly.
        """
        if method not in (*judge.WHOLE, *judge.ROLLING):
            allowed = ", ".join((*judge.WHOLE, *judge.ROLLING))
            raise ValueError(f"method: {method!r} is not one of {allowed}")
        threshold = above_zero(threshold_std_dev, "threshold_std_dev")
        window, min_periods = whole(window, "window", 2), whole(min_periods, "min_periods", 1)
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
        """As `shared.timeseries.downsample`, as a series of the chosen points.

        `"lttb"` folds over all points in the server's memory; `"minmaxlttb"` reduces them to
        four times `n` first and is the one for very large tables.
        """
        if method not in METHODS:
            raise ValueError(f"method: {method!r} is not one of {', '.join(METHODS)}")
        if self._table.by:
            raise ValueError("by: one line at a time can be drawn; use a series without groups")
        return thin(self._table, n, method)
