"""Whatever form the data comes in, as columns; and results back in that form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ._clock import NAT, Clock, read_times
from ._series import TimeSeries, is_sorted

if TYPE_CHECKING:
    from ._types import Float64s, Int64s, Output

OUTPUTS = ("records", "pandas", "polars", "arrays", "series")


class Records(list[dict[str, Any]]):
    """A list of dicts that also knows how many rows without a time were `dropped`."""

    dropped: int = 0


class Columns(dict[str, Any]):
    """Arrays by name that also know how many rows without a time were `dropped`."""

    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of data in the order they came, without the rows that have no time."""

    times: Int64s
    values: Float64s
    clock: Clock
    form: Output
    time_name: str = "timestamp"
    value_name: str = "value"
    codes: Int64s | None = None  # group of each row
    keys: tuple[tuple[Any, ...], ...] = ()  # group keys in sorted order
    by: tuple[str, ...] = ()
    dropped: int = 0
    ordered: bool | None = None  # whether the times never go back; None: nobody has looked


def read_points(
    data: Any,
    timestamp_field: Any = None,
    value_field: str | None = None,
    *,
    by: str | Sequence[str] | None = None,
    unit: str = "s",
    look: bool = True,
) -> Points:
    """Columns out of records, frames, arrays, pairs or a TimeSeries.

    Without a `look` at the order of the times, rows without a time may still be there.
    """
    names = (by,) if isinstance(by, str) else tuple(by or ())
    time, value = timestamp_field, value_field
    if isinstance(data, TimeSeries):
        if names:
            raise ValueError("by: a TimeSeries holds one series; pass a frame or records")
        return Points(
            data.times, data.values, data.clock, "series", dropped=data.dropped, ordered=True
        )
    if timestamp_field is not None and not isinstance(timestamp_field, str):
        if not _is_column(timestamp_field):
            raise TypeError(
                "timestamp_field: a name, or the values when the times come first, not "
                f"{timestamp_field!r}"
            )
        data, time = (data, timestamp_field), None  # f(times, values)
    form, raw_times, raw_values, groups = _split(data, time, value, names)
    ns, clock = read_times(raw_times, time or "timestamp", unit)
    numbers = read_values(raw_values, value or "value")
    if len(ns) != len(numbers):
        raise ValueError(f"data: {len(ns)} times but {len(numbers)} values")
    codes, keys = _codes(groups, names, len(ns))
    names_of_columns = time or "timestamp", value or "value"
    points = Points(ns, numbers, clock, form, *names_of_columns, codes, keys, names)
    return settled(points) if look else points


def settled(points: Points) -> Points:
    """The points without the rows that have no time, when nobody has looked for them."""
    if points.ordered is not None:
        return points
    ns = points.times
    ordered = is_sorted(ns)
    if ordered and not (len(ns) and ns[0] == NAT):
        return replace(points, ordered=True)
    gone = ns == NAT
    dropped = int(np.count_nonzero(gone))
    if not dropped:
        return replace(points, ordered=ordered)
    return replace(
        points,
        times=ns[~gone],
        values=points.values[~gone],
        codes=None if points.codes is None else points.codes[~gone],
        dropped=dropped,
        ordered=ordered,
    )


def _split(
    data: Any, time: str | None, value: str | None, by: tuple[str, ...]
) -> tuple[Output, Any, Any, list[Any]]:
    """The form, the times, the values and the group columns."""
    module = type(data).__module__.partition(".")[0]
    if module in {"pandas", "polars"} and hasattr(data, "columns"):
        form: Output = "pandas" if module == "pandas" else "polars"
        if hasattr(data, "collect"):
            data = data.collect()
        return _split_frame(form, data, time, value, by)
    if module == "pandas" and hasattr(data, "index"):  # a Series
        return "pandas", data.index, data, []
    if isinstance(data, Mapping):
        wanted = [time or "timestamp", value or "value", *by]
        if missing := [name for name in wanted if name not in data]:
            raise KeyError(f"no column {missing[0]!r} in the data; it has {', '.join(data)}")
        times, values, *groups = (data[name] for name in wanted)
        return "arrays", times, values, [list(group) for group in groups]
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] == 2:
        return "arrays", data[:, 0], data[:, 1], []
    if isinstance(data, tuple) and len(data) == 2 and all(_is_column(part) for part in data):
        return "arrays", data[0], data[1], []
    if isinstance(data, (str, bytes)) or not hasattr(data, "__iter__"):
        raise TypeError(
            "data: a list of dicts, a pandas or polars frame, (times, values), a mapping of "
            f"columns or a TimeSeries is needed, not {type(data).__name__}"
        )
    rows = data if isinstance(data, list) else list(data)
    if rows and not isinstance(rows[0], Mapping):
        return "arrays", *_split_pairs(rows), []
    fields = [time or "timestamp", value or "value", *by]
    columns = [_pick(rows, name) for name in fields]
    return "records", columns[0], columns[1], columns[2:]


def _pick(rows: list[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        return [row[name] for row in rows]
    except (KeyError, TypeError, IndexError):
        for number, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise TypeError(f"data[{number}]: a dict is needed, not {row!r}") from None
            if name not in row:
                raise KeyError(f"data[{number}] has no field {name!r}") from None
        raise


def _split_pairs(rows: list[Any]) -> tuple[list[Any], list[Any]]:
    for number, row in enumerate(rows):
        if isinstance(row, (str, bytes)) or not hasattr(row, "__len__") or len(row) != 2:
            raise TypeError(f"data[{number}]: a dict or a (time, value) pair, not {row!r}")
    return [row[0] for row in rows], [row[1] for row in rows]


def _split_frame(
    form: Output, frame: Any, time: str | None, value: str | None, by: tuple[str, ...]
) -> tuple[Output, Any, Any, list[Any]]:
    columns = list(frame.columns)
    time_name, value_name = time or "timestamp", value or "value"
    if value is None and value_name not in columns:
        others = [c for c in columns if c != time_name and c not in by]
        value_name = others[0] if len(others) == 1 else value_name
    for name in (value_name, *by):
        if name not in columns:
            raise KeyError(
                f"no column {name!r} in the frame; it has {', '.join(map(str, columns))}"
            )
    if time_name in columns:
        times = frame[time_name]
    elif form == "pandas" and (time is None or frame.index.name == time):
        times = frame.index
    else:
        raise KeyError(
            f"no column {time_name!r} in the frame; it has {', '.join(map(str, columns))}"
        )
    return form, times, frame[value_name], [frame[name].to_list() for name in by]


def _is_column(part: Any) -> bool:
    return hasattr(part, "__len__") and not isinstance(part, (str, bytes, Mapping))


def read_values(values: Any, name: str) -> Float64s:
    """A column of numbers as float64; None is NaN, integers never overflow.

    Raises:
        TypeError: something that is not a number.
    """
    if isinstance(values, TimeSeries):
        return values.values
    if not isinstance(values, np.ndarray) and hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if not isinstance(values, np.ndarray):
        values = values if isinstance(values, (list, tuple)) else list(values)
        for kind in set(map(type, values)):
            if issubclass(kind, (str, bytes)):
                where = next(i for i, v in enumerate(values) if isinstance(v, (str, bytes)))
                raise TypeError(f"{name}[{where}]: a number is needed, not {values[where]!r}")
        try:
            values = np.array(values, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.array(values, dtype=object)
    if values.dtype.kind in "biuf":
        array: Float64s = values.astype(np.float64, copy=False)
    elif values.dtype.kind == "O":
        array = np.array([_number(v, f"{name}[{i}]") for i, v in enumerate(values)], np.float64)
    else:
        raise TypeError(f"{name}: numbers are needed, not {values.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{name}: one dimension is needed, not {array.ndim}")
    return array


def _number(value: Any, name: str) -> float:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return np.nan
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name}: a number is needed, not {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: a number is needed, not {value!r}") from error


def _codes(
    groups: list[Any], names: tuple[str, ...], rows: int
) -> tuple[Int64s | None, tuple[tuple[Any, ...], ...]]:
    if not groups:
        return None, ()
    for name, group in zip(names, groups, strict=True):
        if len(group) != rows:
            raise ValueError(f"by: column {name!r} has {len(group)} rows, not {rows}")
    tuples = list(zip(*groups, strict=True))
    keys = sorted(set(tuples), key=_sort_key)
    number = {key: i for i, key in enumerate(keys)}
    return np.fromiter(map(number.__getitem__, tuples), np.int64, rows), tuple(keys)


def _sort_key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Any keys in one order: by type, numbers by size, everything else by its text."""
    return tuple(
        (0, part, "") if isinstance(part, (int, float)) else (1 + (part is not None), 0, str(part))
        for part in key
    )


def give(
    columns: dict[str, Any], points: Points, output: Output | None, times: Sequence[str]
) -> Any:
    """Named columns in the form that was asked for, or that the data came in.

    `times` names the int64 columns that are instants. In records an empty aggregate is None.
    """
    form = output or ("arrays" if points.form == "series" else points.form)
    if form not in OUTPUTS:
        raise ValueError(f"output: {form!r} is not one of {', '.join(OUTPUTS)}")
    clock = points.clock
    if form == "series":
        name = next((n for n in columns if n in {points.value_name, "value", "rate"}), None)
        if name is None or points.by:
            raise ValueError("output: a series holds one value column and no groups")
        return TimeSeries._of(columns[times[0]], columns[name], clock)  # noqa: SLF001
    if form == "records":
        return _records(columns, points, times)
    if form == "arrays":
        made = {n: clock.array(c) if n in times else c for n, c in columns.items()}
        out = Columns(made)
        out.dropped = points.dropped
        return out
    if form == "polars":
        return _polars(columns, points, times)
    import pandas as pd

    frame = pd.DataFrame({n: clock.array(c) if n in times else c for n, c in columns.items()})
    if clock.tz is not None and clock.kind != "number":
        for name in times:
            frame[name] = frame[name].dt.tz_localize("UTC").dt.tz_convert(clock.tz)
    frame.attrs["dropped"] = points.dropped
    return frame


def _polars(columns: dict[str, Any], points: Points, times: Sequence[str]) -> Any:
    import polars as pl

    clock = points.clock
    frame = pl.DataFrame(
        {n: clock.array(c) if n in times else c for n, c in columns.items()}, nan_to_null=False
    )
    if clock.tz is None or clock.kind == "number":
        return frame
    place = str(clock.tz)
    return frame.with_columns(
        pl.col(n).dt.replace_time_zone("UTC").dt.convert_time_zone(place) for n in times
    )


def _records(columns: dict[str, Any], points: Points, times: Sequence[str]) -> Records:
    lists = []
    for name, column in columns.items():
        cells = column.tolist() if isinstance(column, np.ndarray) else list(column)
        if name in times:
            made = {ns: points.clock.out(ns) for ns in set(cells)}
            cells = [made[ns] for ns in cells]
        lists.append(cells)
    names = tuple(columns)
    out = Records(dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True))
    out.dropped = points.dropped
    return out


def flatten(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The columns of several groups one after another."""
    return {
        name: np.concatenate([part[name] for part in parts])
        if isinstance(parts[0][name], np.ndarray)
        else list(chain.from_iterable(part[name] for part in parts))
        for name in parts[0]
    }
