"""Results in the requested form, or in the form of the data."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import choice

from .series import series_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._time.types import Output
    from .columns import Points

OUTPUTS = ("records", "pandas", "polars", "arrays", "series")


class Records(list[dict[str, Any]]):
    """A list of dicts that also knows how many rows without a time were `dropped`."""

    dropped: int = 0


class Columns(dict[str, Any]):
    """Arrays by name that also know how many rows without a time were `dropped`."""

    dropped: int = 0


def give(
    columns: dict[str, Any], points: Points, output: Output | None, times: Sequence[str]
) -> Any:
    """Return named columns in a form.

    Args:
        columns: The columns.
        points: The data that they were made of: its form is that of the times, and of the result
            if none is requested (arrays for a series).
        output: The requested form.
        times: Which of the columns are instants (int64).
    """
    form = output or ("arrays" if points.form == "series" else points.form)
    choice("output", form, OUTPUTS)
    time_form = points.time_form
    if form == "series":
        name = next((n for n in ("rate", points.value_name, "value") if n in columns), None)
        if name is None or points.by:
            raise ValueError("output must not be 'series' but for one value column and no groups")
        return series_of(columns[times[0]], columns[name], time_form)
    if form == "records":
        return _records(columns, points, times)
    made = {n: time_form.array(c) if n in times else c for n, c in columns.items()}
    zoned = time_form.tz is not None and time_form.kind != "number"
    if form == "arrays":
        out = Columns(made)
        out.dropped = points.dropped
        return out
    if form == "polars":
        return _polars(made, str(time_form.tz) if zoned else "", times)
    import pandas as pd

    frame = pd.DataFrame(made)
    if zoned:
        for name in times:
            frame[name] = frame[name].dt.tz_localize("UTC").dt.tz_convert(time_form.tz)
    frame.attrs["dropped"] = points.dropped
    return frame


def _polars(columns: dict[str, Any], zone: str, times: Sequence[str]) -> Any:
    import polars as pl

    frame = pl.DataFrame(columns, nan_to_null=False)
    if not zone:
        return frame
    return frame.with_columns(
        pl.col(n).dt.replace_time_zone("UTC").dt.convert_time_zone(zone) for n in times
    )


def _records(columns: dict[str, Any], points: Points, times: Sequence[str]) -> Records:
    lists = []
    for name, column in columns.items():
        cells = column.tolist() if isinstance(column, np.ndarray) else list(column)
        if name in times:
            made = {ns: points.time_form.out(ns) for ns in set(cells)}
            cells = [made[ns] for ns in cells]
        lists.append(cells)
    names = tuple(columns)
    out = Records(dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True))
    out.dropped = points.dropped
    return out


def none_for_nan(values: np.ndarray[Any, Any]) -> list[float | None]:
    """Return values as records show them: None where there is none."""
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124 - NaN


def keyed(names: Sequence[str], key: Sequence[Any], rows: int) -> dict[str, Any]:
    """Return the group columns of the rows of one group."""
    return {name: [part] * rows for name, part in zip(names, key, strict=True)}


def flatten(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the columns of several groups, one after another."""
    if len(parts) == 1:
        return parts[0]
    return {
        name: np.concatenate([part[name] for part in parts])
        if isinstance(parts[0][name], np.ndarray)
        else list(chain.from_iterable(part[name] for part in parts))
        for name in parts[0]
    }
