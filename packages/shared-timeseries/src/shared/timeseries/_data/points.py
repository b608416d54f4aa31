"""Whatever form the data comes in, as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shared.core.checks import refuse, shown

from .._time.timeform import read_times
from .columns import Line, Points, read_values, settled

if TYPE_CHECKING:
    from .._time.types import Int64s, Output


class Fields(NamedTuple):
    """The requested columns; None is a default name."""

    time: str | None
    value: str | None
    by: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, defaults filled in."""
        return (self.time or "timestamp", self.value or "value", *self.by)


class Raw(NamedTuple):
    """The columns as they came: the form, the times, the values and the groups."""

    form: Output
    times: Any
    values: Any
    groups: list[Any]


def read_points(
    data: Any,
    timestamp_field: Any = None,
    value_field: str | None = None,
    *,
    by: str | Sequence[str] | None = None,
    unit: str = "s",
    look: bool = True,
) -> Points:
    """Read columns from records, frames, arrays, pairs or a TimeSeries.

    Without a `look` at the order of the times, rows without a time may still be present.
    """
    names = (by,) if isinstance(by, str) else tuple(by or ())
    time, value = timestamp_field, value_field
    if isinstance(data, Line):
        if names:
            raise ValueError("by must be omitted for a TimeSeries, which holds one series")
        return Points(
            data.times, data.values, data.time_form, "series", dropped=data.dropped, ordered=True
        )
    if timestamp_field is not None and not isinstance(timestamp_field, str):
        if not _is_column(timestamp_field):
            raise refuse(
                "timestamp_field",
                "a name, or the values if the times come first",
                timestamp_field,
                TypeError,
            )
        data, time = (data, timestamp_field), None  # f(times, values)
    raw = _split(data, Fields(time, value, names))
    ns, time_form = read_times(raw.times, time or "timestamp", unit)
    numbers = read_values(raw.values, value or "value")
    if len(ns) != len(numbers):
        raise ValueError(
            f"data must have as many values as times, not {len(numbers)} and {len(ns)}"
        )
    codes, keys = _codes(raw.groups, names, len(ns))
    columns = time or "timestamp", value or "value"
    points = Points(ns, numbers, time_form, raw.form, *columns, codes, keys, names)
    return settled(points) if look else points


def _split(data: Any, fields: Fields) -> Raw:
    """Read the data with the first reader that knows their form."""
    for knows, read in _READERS:
        if knows(data):
            return read(data, fields)
    raise refuse(
        "data",
        "a list of dicts, a pandas or polars frame, an Arrow table, (times, values), a mapping of columns or a TimeSeries",
        data,
        TypeError,
    )


def _from(library: str, attribute: str) -> Callable[[Any], bool]:
    def knows(data: Any) -> bool:
        # Of the type: a lazy frame would work out its columns, and warn.
        kind = type(data)
        return kind.__module__.partition(".")[0] == library and hasattr(kind, attribute)

    return knows


def _is_matrix(data: Any) -> bool:
    return isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] == 2


def _is_pair(data: Any) -> bool:
    return isinstance(data, tuple) and len(data) == 2 and all(_is_column(part) for part in data)


def _is_column(part: Any) -> bool:
    return hasattr(part, "__len__") and not isinstance(part, (str, bytes, Mapping))


def _is_rows(data: Any) -> bool:
    return isinstance(data, Iterable) and not isinstance(data, (str, bytes))


def _frame(form: Output, frame: Any, fields: Fields) -> Raw:
    frame = frame.collect() if hasattr(frame, "collect") else frame
    columns = list(frame.columns)
    time, value, *by = fields.names
    if fields.value is None and value not in columns:
        others = [c for c in columns if c != time and c not in by]
        value = others[0] if len(others) == 1 else value
    of_index = time not in columns and form == "pandas" and fields.time in {None, frame.index.name}
    wanted = (value, *by) if of_index else (value, *by, time)
    for name in wanted:
        if name not in columns:
            raise _no_column(name, "the frame", columns)
    times = frame.index if of_index else frame[time]
    return Raw(form, times, frame[value], [frame[name].to_list() for name in by])


def _arrow(table: Any, fields: Fields) -> Raw:
    for name in fields.names:
        if name not in table.schema.names:
            raise _no_column(name, "the table", table.schema.names)
    times, values, *groups = (table.column(name) for name in fields.names)
    return Raw("arrays", times, values, [group.to_pylist() for group in groups])


def _mapping(data: Mapping[str, Any], fields: Fields) -> Raw:
    for name in fields.names:
        if name not in data:
            raise _no_column(name, "the data", data)
    times, values, *groups = (data[name] for name in fields.names)
    return Raw("arrays", times, values, [list(group) for group in groups])


def _rows(data: Any, fields: Fields) -> Raw:
    rows = data if isinstance(data, list) else list(data)
    if rows and not isinstance(rows[0], Mapping):
        for number, row in enumerate(rows):
            if isinstance(row, (str, bytes)) or not hasattr(row, "__len__") or len(row) != 2:
                raise refuse(f"data[{number}]", "a dict or a (time, value) pair", row, TypeError)
        return Raw("arrays", [row[0] for row in rows], [row[1] for row in rows], [])
    times, values, *groups = (_pick(rows, name) for name in fields.names)
    return Raw("records", times, values, groups)


def _pick(rows: list[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        return [row[name] for row in rows]
    except (KeyError, TypeError, IndexError):
        for number, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise refuse(f"data[{number}]", "a dict", row, TypeError) from None
            if name not in row:
                raise KeyError(f"data[{number}] has no field {name!r}") from None
        raise


def _no_column(name: str, place: str, columns: Iterable[Any]) -> KeyError:
    return KeyError(f"no column {shown(name)} in {place}; it has {', '.join(map(str, columns))}")


# The forms that data may have, in the order in which they are asked.
_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Fields], Raw]], ...] = (
    (_from("pandas", "columns"), partial(_frame, "pandas")),
    (_from("polars", "columns"), partial(_frame, "polars")),
    (_from("pyarrow", "schema"), _arrow),
    (_from("pandas", "index"), lambda series, _: Raw("pandas", series.index, series, [])),
    (lambda data: isinstance(data, Mapping), _mapping),
    (_is_matrix, lambda data, _: Raw("arrays", data[:, 0], data[:, 1], [])),
    (_is_pair, lambda data, _: Raw("arrays", data[0], data[1], [])),
    (_is_rows, _rows),
)


def _codes(
    groups: list[Any], names: tuple[str, ...], rows: int
) -> tuple[Int64s | None, tuple[tuple[Any, ...], ...]]:
    if not groups:
        return None, ()
    for name, group in zip(names, groups, strict=True):
        if len(group) != rows:
            raise ValueError(f"by column {name!r} must have {rows} rows, not {len(group)}")
    tuples = list(zip(*(map(_key, group) for group in groups), strict=True))
    keys = sorted(set(tuples), key=sort_key)
    number = {key: i for i, key in enumerate(keys)}
    return np.fromiter(map(number.__getitem__, tuples), np.int64, rows), tuple(keys)


def _key(part: Any) -> Any:
    """Return a group's key, with the one None for every missing value: NaN, NaT and NA equal nothing."""
    return None if type(part).__name__ == "NAType" or part != part else part  # noqa: PLR0124


def sort_key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put any keys in one order: by type, numbers by size, everything else by its text."""
    return tuple(
        (0, part, "") if isinstance(part, (int, float)) else (1 + (part is not None), 0, str(part))
        for part in key
    )
