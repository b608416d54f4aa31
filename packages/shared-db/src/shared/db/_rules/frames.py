"""Frames of pandas, polars and pyarrow as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

if TYPE_CHECKING:
    from collections.abc import Container, Iterable


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


def frame_rows(frame: Any, integers: Container[str] = ()) -> Iterable[Any]:
    """Return a frame's rows of Python values, missing ones as None.

    Args:
        frame: Of pandas, polars or pyarrow.
        integers: Columns of integers: pandas turns them into floats if one is missing.
    """
    library = _library(frame)
    if library == "polars":
        frame = frame.collect() if hasattr(frame, "collect") else frame
        return frame.iter_rows()  # type: ignore[no-any-return]
    if library == "pyarrow":
        return zip(*(column.to_pylist() for column in frame.columns), strict=True)
    columns = [
        _pandas_values(frame.iloc[:, place], whole=str(name) in integers)
        for place, name in enumerate(frame.columns)
    ]
    return zip(*columns, strict=True)


def _library(frame: Any) -> str:
    return type(frame).__module__.partition(".")[0]


def _pandas_values(series: Any, *, whole: bool) -> list[Any]:
    if series.dtype.kind in "iub" and not hasattr(series.dtype, "na_value"):
        return series.tolist()  # type: ignore[no-any-return]
    missing = series.isna()
    values = (series.astype(object) if series.dtype.kind == "M" else series).tolist()
    if missing.any():
        gone = missing.tolist()
        values = [None if lost else value for value, lost in zip(values, gone, strict=True)]
    if whole and series.dtype.kind == "f":
        values = [int(v) if v is not None and v.is_integer() else v for v in values]
    return values  # type: ignore[no-any-return]
