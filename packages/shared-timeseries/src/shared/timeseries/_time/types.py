"""Types that the public signatures share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import datetime as dt

Int64s: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Float64s: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Kernel: TypeAlias = Callable[..., Any]

Time: TypeAlias = "dt.datetime | dt.date | np.datetime64 | str | float"
"""A datetime, date, numpy datetime64, ISO 8601 text, or a number (seconds since the epoch)."""

Size: TypeAlias = "str | dt.timedelta | np.timedelta64 | float"
"""`"5m"`, `"1h30m"`, `"1d"` (calendar), `"24h"` (duration), a timedelta, a pandas offset, or seconds."""

Align: TypeAlias = Literal["start", "epoch", "calendar"]
Side: TypeAlias = Literal["left", "right"]
Fill: TypeAlias = Literal["none", "null", "previous", "linear", "0"]
Output: TypeAlias = Literal["records", "pandas", "polars", "arrays", "series"]
Data: TypeAlias = "Sequence[Mapping[str, Any]] | Mapping[str, Any] | Any"
TimeField: TypeAlias = "str | Sequence[Any] | np.ndarray[Any, Any] | None"
"""Name of the time column; or the values, if the data are the times."""
