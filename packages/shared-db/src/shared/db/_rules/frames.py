"""Frames of pandas, polars and pyarrow as rows."""

from __future__ import annotations

import datetime as dt
import struct
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

if TYPE_CHECKING:
    from collections.abc import Container, Iterable


class Nanoseconds:
    """A time that Python's types cannot hold: no column takes it."""

    def __init__(self, value: Any, rest: int) -> None:
        self._text = f"<{value} and {rest} nanoseconds: round it to microseconds first>"

    def __repr__(self) -> str:
        return self._text


def frame_columns(frame: Any) -> list[str]:
    """Return a frame's column names.

    Raises:
        TypeError: It is not a frame of pandas, polars or pyarrow.
    """
    library = _library(frame)
    if library == "polars":
        return list(frame.collect_schema().names())
    if library == "pandas":
        return [str(name) for name in frame.columns]
    if library == "pyarrow":
        return list(frame.column_names)
    raise refuse("frame", "a frame of pandas, polars or pyarrow", type(frame), TypeError)


def frame_rows(
    frame: Any, integers: Container[str] = (), decimals: Container[str] = ()
) -> Iterable[Any]:
    """Return a frame's rows of Python values, missing ones as None.

    Args:
        frame: Of pandas, polars or pyarrow.
        integers: Columns of integers: pandas turns them into floats if one is missing.
        decimals: Columns of decimals: a float of 32 bits gives its own shortest digits.
    """
    library = _library(frame)
    names = frame_columns(frame)
    if library == "polars":
        frame = frame.collect() if hasattr(frame, "collect") else frame
        columns = [_polars_values(frame[name], short=name in decimals) for name in names]
        if all(column is None for column in columns):
            return frame.iter_rows()  # type: ignore[no-any-return]
        pairs = zip(names, columns, strict=True)
        columns = [frame[name].to_list() if found is None else found for name, found in pairs]
    elif library == "pyarrow":
        pairs = zip(names, frame.columns, strict=True)
        columns = [_arrow_values(column, short=name in decimals) for name, column in pairs]
    else:
        columns = [
            _pandas_values(frame.iloc[:, place], whole=name in integers)
            for place, name in enumerate(names)
        ]
    return zip(*columns, strict=True)


def _library(frame: Any) -> str:
    return type(frame).__module__.partition(".")[0]


def _pandas_values(series: Any, *, whole: bool) -> list[Any]:
    kind = series.dtype.kind
    if kind in "iub" and not hasattr(series.dtype, "na_value"):
        return series.tolist()  # type: ignore[no-any-return]
    missing = series.isna()
    if kind == "M" and hasattr(series.array, "to_pydatetime"):
        # What has nanoseconds stays as it is, and is refused.
        exact = not series.dt.nanosecond.any()
        values = list(series.array.to_pydatetime()) if exact else list(series.array)
    elif kind == "f" and series.dtype.itemsize < 8:
        values = list(series.array)  # the scalars know their own shortest digits
    else:
        values = series.tolist()
    if missing.any():
        gone = missing.tolist()
        values = [None if lost else value for value, lost in zip(values, gone, strict=True)]
    if whole and kind == "f":
        values = [int(v) if v is not None and float(v).is_integer() else v for v in values]
    return values


def _polars_values(series: Any, *, short: bool) -> list[Any] | None:
    """Return values that polars itself would give inexactly; None for all others."""
    dtype = type(series.dtype).__name__
    if dtype == "Time" or getattr(series.dtype, "time_unit", "") == "ns":
        rest = (series.to_physical() % 1000).to_list()
        return _exact(series.to_list(), rest) if any(rest) else None
    return (
        [_shortest(value) for value in series.to_list()] if short and dtype == "Float32" else None
    )


def _arrow_values(column: Any, *, short: bool) -> list[Any]:
    kind = column.type
    values: list[Any]
    if getattr(kind, "unit", "") == "ns":  # Arrow gives pandas' values, or fails without it
        counts = column.cast("int64").to_pylist()
        start = None if str(kind).startswith("duration") else _start(kind)
        values = [None if count is None else _moment(count, start) for count in counts]
        if str(kind).startswith("time64"):
            values = [value and value.time() for value in values]
        return _exact(values, [None if count is None else count % 1000 for count in counts])
    values = column.to_pylist()
    return [_shortest(value) for value in values] if short and str(kind) == "float" else values


def _start(kind: Any) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC if getattr(kind, "tz", None) else None)


def _moment(nanoseconds: int, start: dt.datetime | None) -> Any:
    since = dt.timedelta(microseconds=nanoseconds // 1000)
    return since if start is None else start + since


def _exact(values: list[Any], rest: list[int | None]) -> list[Any]:
    pairs = zip(values, rest, strict=True)
    return [Nanoseconds(value, over) if over else value for value, over in pairs]


def _shortest(value: float | None) -> float | None:
    """Return the float of 64 bits with the digits that one of 32 bits shows."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return value
    found = (float(f"{value:.{digits}g}") for digits in range(6, 10))
    return next((one for one in found if _narrow(one) == value), value)


def _narrow(value: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return float("inf")
