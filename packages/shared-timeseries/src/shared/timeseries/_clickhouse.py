"""The package's functions run inside ClickHouse, with the local answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _clickhouse_judge as judge
from . import _clickhouse_sql as sql
from ._aggregate import Plan, check_fill, labelled, plan_windows, shape
from ._checks import above_zero, whole
from ._clock import Clock, read_time, zone
from ._counters import Growth, Mode
from ._downsample import METHODS, downsample
from ._grid import from_wall
from ._kernels import quantile_of, read_aggregations
from ._points import Points, _sort_key, flatten, give
from ._resample import read_size_text
from ._rolling import STATS
from ._series import TimeSeries
from ._sizes import read_size
from ._windows import MAX_WINDOWS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

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
        if database is None and "." in table:
            database, table = table.split(".", 1)
        self._client = client
        self._table = (
            sql.quote(table) if not database else f"{sql.quote(database)}.{sql.quote(table)}"
        )
        self._names = time, value
        self._by = (by,) if isinstance(by, str) else tuple(by or ())
        self._unit = unit
        self._last = ""
        types = self._columns()
        for name in (time, value, *self._by):
            if name not in types:
                raise KeyError(f"no column {name!r} in {self._table}; it has {', '.join(types)}")
        self._clock = self._read_clock(types[time], zone(tz))
        self._bounds = self._bound(start, "start"), self._bound(end, "end")
        self._time_type = types[time]
        self._points = self._base()

    def _columns(self) -> dict[str, str]:
        rows = self._client.query(f"DESCRIBE TABLE {self._table}").result_rows
        return {str(row[0]): str(row[1]) for row in rows}

    def _read_clock(self, kind: str, place: dt.tzinfo | None) -> Clock:
        if "Date" not in kind:
            if not any(word in kind for word in ("Int", "Float", "Decimal")):
                raise TypeError(f"time: column {self._names[0]!r} is {kind}, not a time or number")
            return Clock("number", place or zone("UTC"), self._unit)
        named = kind.partition("'")[2].partition("'")[0]
        return Clock("datetime", place or zone(named or "UTC"))

    def _bound(self, bound: Time | None, name: str) -> int | None:
        if bound is None:
            return None
        ns, clock = read_time(bound, name, self._unit)
        return ns if clock.aware else from_wall(ns, self._clock.tz)

    def _base(self) -> str:
        """Every point as its groups, integer nanoseconds and a Float64."""
        time, value = (f"t.{sql.quote(name)}" for name in self._names)
        scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[self._unit]
        if self._clock.kind != "number":
            ns = f"toUnixTimestamp64Nano(toDateTime64(assumeNotNull({time}), 9, 'UTC'))"
        elif "Int" in self._time_type:
            ns = f"toInt64(assumeNotNull({time})) * {scale}"
        else:
            whole = f"floor(toFloat64(assumeNotNull({time})))"
            ns = (
                f"toInt64({whole}) * {scale} + "
                f"toInt64(round((toFloat64(assumeNotNull({time})) - {whole}) * {scale}))"
            )
        groups = "".join(f"t.{sql.quote(name)} AS g{i}, " for i, name in enumerate(self._by))
        low, high = self._bounds
        limits = ["1"]
        if low is not None:
            limits.append(f"ns >= {low}")
        if high is not None:
            limits.append(f"ns < {high}")
        return (
            f"SELECT * FROM (SELECT {groups}{ns} AS ns, "  # noqa: S608
            f"ifNull(toFloat64({value}), nan) AS v\nFROM {self._table} AS t "
            f"WHERE {time} IS NOT NULL SETTINGS prefer_column_name_to_alias = 1)\n"
            f"WHERE {' AND '.join(limits)}"
        )

    @property
    def _groups(self) -> list[str]:
        return [f"g{i}" for i in range(len(self._by))]

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
        return self._last or self._points

    def _run(self, text: str) -> list[Any]:
        """The columns of a query's answer; none at all when it has no rows."""
        self._last = text
        return list(self._client.query(text, column_oriented=True).result_columns)

    def _split(self, columns: list[Any]) -> list[tuple[tuple[Any, ...], list[Any]]]:
        """The rest of the columns for each group, in the order of the local functions."""
        count = len(self._by)
        if not columns:
            return []
        if not count:
            return [((), [np.asarray(c) for c in columns])]
        rows: dict[tuple[Any, ...], list[int]] = {}
        for position, key in enumerate(zip(*columns[:count], strict=True)):
            rows.setdefault(key, []).append(position)
        rest = [np.asarray(c) for c in columns[count:]]
        return [(key, [c[rows[key]] for c in rest]) for key in sorted(rows, key=_sort_key)]

    def _span(self) -> tuple[tuple[int, int] | None, int]:
        """First and last time, and how many rows have no time."""
        time = f"t.{sql.quote(self._names[0])}"
        rows = self._client.query(
            f"SELECT count(), min(ns), max(ns) FROM (\n{self._points}\n)"  # noqa: S608
        ).result_rows
        gone = self._client.query(
            f"SELECT count() FROM {self._table} AS t WHERE {time} IS NULL"  # noqa: S608
        ).result_rows
        count, low, high = rows[0]
        return ((int(low), int(high)) if count else None), int(gone[0][0])

    def _blank(self, form: Output, dropped: int = 0) -> Points:
        empty = np.empty(0, np.int64)
        names = self._names
        return Points(
            empty, np.empty(0), self._clock, form, names[0], names[1], by=self._by, dropped=dropped
        )

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
        step = read_size(window_size, "window_size", self._unit)
        fill = check_fill(fill)
        span, dropped = self._span()
        blank = self._blank(output, dropped)
        shown = ["value"] if single else given
        times = ("window_start", "window_end")
        nothing: dict[str, Any] = {name: [] for name in self._by}
        nothing |= {
            column: np.empty(0, np.int64 if column in {*times, "count"} else np.float64)
            for column in (*times, "count", *shown)
        }
        if span is None:
            return give(nothing, blank, output, times)
        plan = plan_windows(
            self._clock, step, align, span, self._bounds, names=names, fill=fill, skipna=skipna,
            include_end=include_end, max_windows=max_windows,
        )  # fmt: skip
        unique = list(dict.fromkeys(names))
        answer = self._run(sql.windows(self._points, plan, self._groups, unique))
        parts = []
        for key, (begin, rows, *found) in self._split(answer):
            part = self._shaped(plan, begin, rows, dict(zip(unique, found, strict=True)), output)
            parts.append(labelled(part, self._by, key, shown, names))
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
            read_size_text(every, self._unit), aggregation, fill=fill, align=align,
            max_windows=max_windows, output="records",
        )  # fmt: skip
        rows = [[row[name] for row in columns] for name in (*self._by, "window_start", "value")]
        out: dict[str, Any] = dict(zip((*self._by, *self._names), rows, strict=True))
        ns = [read_time(t, "t", self._unit)[0] for t in rows[-2]]
        out[self._names[0]] = np.array(ns, dtype=np.int64)
        if output != "records":
            out[self._names[1]] = np.array(rows[-1], dtype=np.float64)
        return give(out, self._blank(output), output, self._names[:1])

    def calculate_percentile(self, q: float) -> float | dict[Any, float]:
        """As `shared.timeseries.calculate_percentile`; with `by` a dict from group to value."""
        if not 0 <= q <= 100:
            raise ValueError(f"q: {q} is not between 0 and 100")
        keys = ", ".join(self._groups)
        select = f"{keys}, " if keys else ""
        tail = f"\nGROUP BY {keys}" if keys else ""
        answer = self._run(
            f"SELECT {select}quantileExactInclusive({q / 100!r})(v) AS out FROM (\n"  # noqa: S608
            f"{self._points}\n) WHERE NOT isNaN(v){tail}"
        )
        return self._scalars([(key, float(c[0][0])) for key, c in self._split(answer)])

    def _scalars(self, found: list[tuple[tuple[Any, ...], float]]) -> float | dict[Any, float]:
        if not self._by:
            return found[0][1] if found else float("nan")
        return {(key[0] if len(key) == 1 else key): value for key, value in found}

    def calculate_rate_of_change(self, *, per: Size = "1s", output: Output = "arrays") -> Any:
        """As `shared.timeseries.calculate_rate_of_change`."""
        step = read_size(per, "per", self._unit)
        scale = step.ns or step.days * 86_400 * 10**9
        if not scale:
            raise ValueError(f"per: {per!r} has no fixed length")
        keys = ", ".join([*self._groups, "ns", "v"])
        answer = self._run(
            f"SELECT {keys}, if(ns = ns0, nan, (v - v0) / toFloat64(ns - ns0) * {scale}) AS rate\n"
            f"FROM (\n{sql.stepped(self._points, self._groups)}\n) WHERE had\nORDER BY {keys}"
        )
        return self._rows(answer, ["rate"], output)

    def _rows(self, answer: list[Any], extra: list[str], output: Output) -> Any:
        """Rows of group, time, value and more."""
        names = [*self._names, *extra]
        parts = []
        for key, columns in self._split(answer):
            out: dict[str, Any] = {
                n: [k] * len(columns[0]) for n, k in zip(self._by, key, strict=True)
            }
            out[names[0]] = columns[0].astype(np.int64)
            out |= {n: c.astype(np.float64) for n, c in zip(names[1:], columns[1:], strict=True)}
            parts.append(out)
        if not parts:
            empty: dict[str, Any] = {n: [] for n in self._by}
            empty[names[0]] = np.empty(0, np.int64)
            parts = [empty | {n: np.empty(0) for n in names[1:]}]
        return give(flatten(parts), self._blank(output), output, self._names[:1])

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
        step = None if size is None else read_size(size, "window_size", self._unit)
        times = ("window_start", "window_end")
        nothing: dict[str, Any] = {name: [] for name in self._by}
        nothing |= {name: np.empty(0, np.int64) for name in (*times, "count")}
        nothing["value"] = np.empty(0)
        plan = None
        if step is not None:
            span, _ = self._span()
            if span is None:
                return give(nothing, self._blank(output), output, times)
            plan = plan_windows(
                self._clock, step, align, span, (self._bounds[0], None), names=[], fill="none",
                skipna=True, include_end=False, max_windows=most,
            )  # fmt: skip
        answer = self._run(sql.growth(self._points, plan, self._groups))
        low, high = self._bounds
        scalars, parts = [], []
        for key, (begin, rows, owned, took, inner, first, last, value) in self._split(answer):
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
            part: dict[str, Any] = {n: [k] * len(begin) for n, k in zip(self._by, key, strict=True)}
            part |= {"window_start": begin, "window_end": stop, "count": found.counts}
            parts.append(part | {"value": found.result((begin, stop), mode, rate=rate)})
        if plan is None:
            return self._scalars(scalars)
        return give(flatten(parts) if parts else nothing, self._blank(output), output, times)

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
        step = read_size(every, "every", self._unit)
        if not step.ns:
            raise ValueError(
                f"every: {every!r} is a calendar step; a duration such as '24h' is needed"
            )
        longest = None if max_gap is None else read_size(max_gap, "max_gap", self._unit).least_ns
        text = sql.gaps(self._points, self._groups, step, str(check_fill(method)), longest)
        made = self._rows(self._run(text), [], output)
        if output == "records":
            for row in made:
                value = row[self._names[1]]
                row[self._names[1]] = None if value != value else value  # noqa: PLR0124
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
        text = sql.rolled(self._points, self._groups, window, stat, least)
        return self._rows(self._run(text), [stat], output)

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
            text = judge.whole_baseline(self._points, self._groups, method)
        else:
            least = min(min_periods, window)
            text = judge.rolling_baseline(self._points, self._groups, method, window, least)
        answer = self._run(judge.judged(text, self._groups, threshold))
        return self._rows(answer, ["score", "expected", "scale"], output)

    def downsample(self, n: int = 1000, method: str = "lttb") -> TimeSeries:
        """As `shared.timeseries.downsample`, as a series of the chosen points.

        `"lttb"` folds over all points in the server's memory; `"minmaxlttb"` reduces them to
        four times `n` first and is the one for very large tables.
        """
        if method not in METHODS:
            raise ValueError(f"method: {method!r} is not one of {', '.join(METHODS)}")
        if self._by:
            raise ValueError("by: one line at a time can be drawn; use a series without groups")
        least = 3 if "lttb" in method else 2
        n = whole(n, "n", least)
        points = f"SELECT * FROM (\n{self._points}\n) WHERE NOT isNaN(v)"  # noqa: S608
        rows = self._client.query(f"SELECT count() FROM (\n{points}\n)").result_rows  # noqa: S608
        count = int(rows[0][0])
        if not count or (count <= n and method != "mean"):
            chosen = self._run(f"SELECT ns, v FROM (\n{points}\n) ORDER BY ns, v")  # noqa: S608
            return self._series(*(chosen or ([], [])))
        if method == "lttb" or (method == "minmaxlttb" and count <= n * 4 + 2):
            every = (count - 2) / (n - 2)
            cuts = ((every * np.arange(n - 1)).astype(np.int64) + 1).tolist()
            origin = self._ends(points)[0][0]
            path, tail = self._run(judge.triangles(points, cuts, origin))
            some = [*path[0], tail[0][-1]]
            return self._series([p[0] for p in some], [p[1] for p in some])
        return self._thin(points, n, method)

    def _ends(self, points: str) -> list[tuple[int, float]]:
        """The first two and the last two points."""
        out = []
        for way in ("", " DESC"):
            text = f"SELECT ns, v FROM (\n{points}\n) ORDER BY ns{way}, v{way} LIMIT 2"  # noqa: S608
            rows = [(int(ns), float(v)) for ns, v in self._client.query(text).result_rows]
            out += (rows * 2)[:2] if len(rows) == 1 else rows
        return out

    def _thin(self, points: str, n: int, method: str) -> TimeSeries:
        """Least and greatest, or means, of equal ranges of time."""
        first, second, last, before = self._ends(points)
        low, high, bins = first[0], last[0], n if method == "mean" else n // 2
        inner = points
        if method == "minmaxlttb":
            low, high, bins = second[0], before[0], n * 2
            # One row at each end is set aside; an equal twin may stay, it is the same point.
            for end, twin in ((first, second), (last, before)):
                if end != twin:
                    inner += f" AND NOT (ns = {end[0]} AND v = toFloat64('{end[1]!r}'))"
        edges = np.linspace(0.0, float(high - low), bins + 1)[:-1]
        starts = np.unique(np.ceil(edges).astype(np.int64)).tolist()
        if method == "mean":
            x, y = self._run(judge.means(inner, starts, low))
            return self._series(np.rint(np.array(x, np.float64)).astype(np.int64) + low, y)
        lows, highs = self._run(judge.extremes(inner, starts, low))
        chosen = {(int(p[1]), float(p[0])) for p in lows} | {
            (-int(p[1]), float(p[0])) for p in highs
        }
        some = sorted(chosen | ({first, last} if method == "minmaxlttb" else set()))
        series = self._series([p[0] for p in some], [p[1] for p in some])
        return (
            series if method == "minmax" else downsample(series, n=n, output="series", fast=False)
        )

    def _series(self, ns: Any, numbers: Any) -> TimeSeries:
        return TimeSeries._of(  # noqa: SLF001
            np.array(ns, dtype=np.int64), np.array(numbers, dtype=np.float64), self._clock
        )
