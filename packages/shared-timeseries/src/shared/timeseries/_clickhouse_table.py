"""A table of points in ClickHouse: the query that reads them, and what its answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _clickhouse_sql as sql
from ._clock import UNITS, Clock, read_time, zone
from ._grid import from_wall
from ._points import Points, _sort_key, flatten, give
from ._series import TimeSeries

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from ._types import Output, Time


class Table:
    """What every function over a table needs; see `ClickHouseSeries` for the arguments."""

    def __init__(
        self,
        client: Any,
        table: str,
        time: str,
        value: str,
        by: str | Sequence[str] | None,
        *,
        tz: str | dt.tzinfo | None,
        start: Time | None,
        end: Time | None,
        unit: str,
        database: str | None,
    ) -> None:
        """Look at the columns; nothing is read yet."""
        if database is None and "." in table:
            database, table = table.split(".", 1)
        self.client = client
        self._name = (
            sql.quote(table) if not database else f"{sql.quote(database)}.{sql.quote(table)}"
        )
        self.names = time, value
        self.by = (by,) if isinstance(by, str) else tuple(by or ())
        if unit not in UNITS:
            raise ValueError(f"unit: {unit!r} is not one of {', '.join(UNITS)}")
        self.unit = unit
        self.last = ""
        types = self._columns()
        for name in (time, value, *self.by):
            if name not in types:
                raise KeyError(f"no column {name!r} in {self._name}; it has {', '.join(types)}")
        self.clock = self._read_clock(types[time], zone(tz))
        self.bounds = self._bound(start, "start"), self._bound(end, "end")
        self._time_type = types[time]
        self.points = self._base()

    def _columns(self) -> dict[str, str]:
        rows = self.client.query(f"DESCRIBE TABLE {self._name}").result_rows
        return {str(row[0]): str(row[1]) for row in rows}

    def _read_clock(self, kind: str, place: dt.tzinfo | None) -> Clock:
        if "Date" not in kind:
            if not any(word in kind for word in ("Int", "Float", "Decimal")):
                raise TypeError(f"time: column {self.names[0]!r} is {kind}, not a time or number")
            return Clock("number", place or zone("UTC"), self.unit)
        named = kind.partition("'")[2].partition("'")[0]
        return Clock("datetime", place or zone(named or "UTC"))

    def _bound(self, bound: Time | None, name: str) -> int | None:
        if bound is None:
            return None
        ns, clock = read_time(bound, name, self.unit)
        return ns if clock.aware else from_wall(ns, self.clock.tz)

    def _base(self) -> str:
        """Every point as its groups, integer nanoseconds and a Float64."""
        time, value = (f"t.{sql.quote(name)}" for name in self.names)
        scale = UNITS[self.unit]
        if self.clock.kind != "number":
            ns = f"toUnixTimestamp64Nano(toDateTime64(assumeNotNull({time}), 9, 'UTC'))"
        elif "Int" in self._time_type:
            ns = f"toInt64(assumeNotNull({time})) * {scale}"
        else:
            whole = f"floor(toFloat64(assumeNotNull({time})))"
            ns = (
                f"toInt64({whole}) * {scale} + "
                f"toInt64(round((toFloat64(assumeNotNull({time})) - {whole}) * {scale}))"
            )
        groups = "".join(f"t.{sql.quote(name)} AS g{i}, " for i, name in enumerate(self.by))
        low, high = self.bounds
        limits = ["1"]
        if low is not None:
            limits.append(f"ns >= {low}")
        if high is not None:
            limits.append(f"ns < {high}")
        return (
            f"SELECT * FROM (SELECT {groups}{ns} AS ns, "  # noqa: S608
            f"ifNull(toFloat64({value}), nan) AS v\nFROM {self._name} AS t "
            f"WHERE {time} IS NOT NULL SETTINGS prefer_column_name_to_alias = 1)\n"
            f"WHERE {' AND '.join(limits)}"
        )

    @property
    def groups(self) -> list[str]:
        return [f"g{i}" for i in range(len(self.by))]

    def run(self, text: str) -> list[Any]:
        """The columns of a query's answer; none at all when it has no rows."""
        self.last = text
        return list(self.client.query(text, column_oriented=True).result_columns)

    def split(self, columns: list[Any]) -> list[tuple[tuple[Any, ...], list[Any]]]:
        """The rest of the columns for each group, in the order of the local functions."""
        count = len(self.by)
        if not columns:
            return []
        if not count:
            return [((), [np.asarray(c) for c in columns])]
        rows: dict[tuple[Any, ...], list[int]] = {}
        for position, key in enumerate(zip(*columns[:count], strict=True)):
            rows.setdefault(key, []).append(position)
        rest = [np.asarray(c) for c in columns[count:]]
        return [(key, [c[rows[key]] for c in rest]) for key in sorted(rows, key=_sort_key)]

    def span(self) -> tuple[tuple[int, int] | None, int]:
        """First and last time, and how many rows have no time."""
        time = f"t.{sql.quote(self.names[0])}"
        rows = self.client.query(
            f"SELECT count(), min(ns), max(ns) FROM (\n{self.points}\n)"  # noqa: S608
        ).result_rows
        gone = self.client.query(
            f"SELECT count() FROM {self._name} AS t WHERE {time} IS NULL"  # noqa: S608
        ).result_rows
        count, low, high = rows[0]
        return ((int(low), int(high)) if count else None), int(gone[0][0])

    def blank(self, form: Output, dropped: int = 0) -> Points:
        empty = np.empty(0, np.int64)
        names = self.names
        return Points(
            empty, np.empty(0), self.clock, form, names[0], names[1], by=self.by, dropped=dropped
        )

    def rows(self, answer: list[Any], extra: list[str], output: Output) -> Any:
        """Rows of group, time, value and more."""
        names = [*self.names, *extra]
        parts = []
        for key, columns in self.split(answer):
            out: dict[str, Any] = {
                n: [k] * len(columns[0]) for n, k in zip(self.by, key, strict=True)
            }
            out[names[0]] = columns[0].astype(np.int64)
            out |= {n: c.astype(np.float64) for n, c in zip(names[1:], columns[1:], strict=True)}
            parts.append(out)
        if not parts:
            empty: dict[str, Any] = {n: [] for n in self.by}
            empty[names[0]] = np.empty(0, np.int64)
            parts = [empty | {n: np.empty(0) for n in names[1:]}]
        return give(flatten(parts), self.blank(output), output, self.names[:1])

    def scalars(self, found: list[tuple[tuple[Any, ...], float]]) -> float | dict[Any, float]:
        if not self.by:
            return found[0][1] if found else float("nan")
        return {(key[0] if len(key) == 1 else key): value for key, value in found}

    def series(self, ns: Any, numbers: Any) -> TimeSeries:
        return TimeSeries._of(  # noqa: SLF001
            np.array(ns, dtype=np.int64), np.array(numbers, dtype=np.float64), self.clock
        )
