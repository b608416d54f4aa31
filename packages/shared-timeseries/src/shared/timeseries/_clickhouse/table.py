"""A table of points in ClickHouse: the query that reads them, and what its answers mean."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shared.core.checks import choice, refuse, shown

from .._data.answers import flatten, give, keyed
from .._data.columns import Points
from .._data.points import sort_key
from .._data.series import series_of
from .._time.timeform import UNITS, TimeForm, read_time, zone
from .._windows.grid import from_wall
from . import sql

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from .._data.series import TimeSeries
    from .._reduce.request import Request
    from .._time.types import Output, Time


class Scope(NamedTuple):
    """What one call may ask for other than its series does; None is what the series has."""

    by: str | Sequence[str] | None = None
    tz: str | dt.tzinfo | None = None
    start: Time | None = None
    end: Time | None = None


class Table:
    """What every function over a table needs; see `ClickHouseSeries` for the arguments."""

    def __init__(
        self,
        client: Any,
        table: str,
        names: tuple[str, str],
        by: str | Sequence[str] | None,
        place: dt.tzinfo | None,
        span: tuple[Time | None, Time | None],
        unit: str,
        database: str | None,
    ) -> None:
        """Check the columns; no data is read yet."""
        if database is None and "." in table:
            database, table = table.split(".", 1)
        self.client = client
        self._name = (
            sql.quote(table) if not database else f"{sql.quote(database)}.{sql.quote(table)}"
        )
        self.names = names
        self.by = (by,) if isinstance(by, str) else tuple(by or ())
        self.unit = choice("unit", unit, UNITS)
        self.last = ""
        self._asked = self
        self._types = self._columns()
        self._look_for(*names, *self.by)
        self._time_type = self._types[names[0]]
        self.time_form = self._read_form(self._time_type, place)
        self.bounds = self._bound(span[0], "start"), self._bound(span[1], "end")
        self.points = self._base()

    def _look_for(self, *names: str) -> None:
        for name in names:
            if name not in self._types:
                raise KeyError(
                    f"no column {shown(name)} in {self._name}; it has {', '.join(self._types)}"
                )

    def within(self, scope: Scope, request: Request | None = None) -> Table:
        """Return the table as one call sees it: its groups, zone and part of the range."""
        part = copy(self)
        part._narrow(scope, request)  # noqa: SLF001 - the class's own
        return part

    def _narrow(self, scope: Scope, request: Request | None) -> None:
        if scope.by is not None:
            self.by = (scope.by,) if isinstance(scope.by, str) else tuple(scope.by)
            self._look_for(*self.by)
        if scope.tz is not None:
            self.time_form = self._read_form(self._time_type, zone(scope.tz))
        low, high = self._bound(scope.start, "start"), self._bound(scope.end, "end")
        if low is not None and high is not None and high < low:
            raise refuse("end", f"at or after start ({scope.start})", scope.end)
        lows = [bound for bound in (self.bounds[0], low) if bound is not None]
        highs = [bound for bound in (self.bounds[1], high) if bound is not None]
        self.bounds = max(lows, default=None), min(highs, default=None)
        late = 0 if request is None else request.late
        self.points = self._base(late, int(late or (request is not None and request.include_end)))

    def _columns(self) -> dict[str, str]:
        rows = self.client.query(f"DESCRIBE TABLE {self._name}").result_rows
        return {str(row[0]): str(row[1]) for row in rows}

    def _read_form(self, kind: str, place: dt.tzinfo | None) -> TimeForm:
        if "Date" not in kind:
            if not any(word in kind for word in ("Int", "Float", "Decimal")):
                raise refuse("time", "a column of times or numbers", kind, TypeError)
            return TimeForm("number", place or zone("UTC"), self.unit)
        named = kind.partition("'")[2].partition("'")[0]
        return TimeForm("datetime", place or zone(named or "UTC"))

    def _bound(self, bound: Time | None, name: str) -> int | None:
        if bound is None:
            return None
        ns, time_form = read_time(bound, name, self.unit)
        return ns if time_form.aware else from_wall(ns, self.time_form.tz)

    def _base(self, late: int = 0, end_late: int = 0) -> str:
        """Return every point as its groups, integer nanoseconds and a Float64.

        The bounds are later by so many nanoseconds: 1 leaves out the start, or takes in the end.
        """
        time, value = (f"t.{sql.quote(name)}" for name in self.names)
        scale = UNITS[self.unit]
        if self.time_form.kind != "number":
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
            limits.append(f"ns >= {low + late}")
        if high is not None:
            limits.append(f"ns < {high + end_late}")
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
        """Return the columns of a query's answer; none at all if it has no rows."""
        self._asked.last = text
        return list(self.client.query(text, column_oriented=True).result_columns)

    def split(self, columns: list[Any]) -> list[tuple[tuple[Any, ...], list[Any]]]:
        """Return the rest of the columns for each group, in the order of the local functions."""
        count = len(self.by)
        if not columns:
            return []
        if not count:
            return [((), [np.asarray(c) for c in columns])]
        rows: dict[tuple[Any, ...], list[int]] = {}
        groups = [[None if part != part else part for part in c] for c in columns[:count]]  # noqa: PLR0124
        for position, key in enumerate(zip(*groups, strict=True)):
            rows.setdefault(key, []).append(position)
        rest = [np.asarray(c) for c in columns[count:]]
        return [(key, [c[rows[key]] for c in rest]) for key in sorted(rows, key=sort_key)]

    def span(self) -> tuple[tuple[int, int] | None, int]:
        """Return the first and last time, and how many rows have no time."""
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
            empty,
            np.empty(0),
            self.time_form,
            form,
            names[0],
            names[1],
            by=self.by,
            dropped=dropped,
        )

    def rows(self, answer: list[Any], extra: list[str], output: Output) -> Any:
        """Return rows of group, time, value and more."""
        names = [*self.names, *extra]
        parts = []
        for key, columns in self.split(answer):
            out = keyed(self.by, key, len(columns[0]))
            out[names[0]] = columns[0].astype(np.int64)
            out |= {n: c.astype(np.float64) for n, c in zip(names[1:], columns[1:], strict=True)}
            parts.append(out)
        if not parts:
            empty: dict[str, Any] = {n: [] for n in self.by}
            empty[names[0]] = np.empty(0, np.int64)
            parts = [empty | {n: np.empty(0) for n in names[1:]}]
        return give(flatten(parts), self.blank(output), output, self.names[:1])

    def series(self, ns: Any, numbers: Any) -> TimeSeries:
        return series_of(
            np.array(ns, dtype=np.int64), np.array(numbers, dtype=np.float64), self.time_form
        )
