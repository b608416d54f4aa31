"""Where sessions begin: labels of bars, or the calendar of their times."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import numpy as np

from shared.core.checks import refuse

Anchor = Literal["session", "D", "W", "M", "Q", "Y"]
ANCHORS = ("session", "D", "W", "M", "Q", "Y")
_MONTHS = {"M": 1, "Q": 3, "Y": 12}


def sessions_of(labels: Any, anchor: Anchor) -> Any:
    """Return a label for each bar, equal for the bars of one session.

    Raises:
        TypeError: The anchor is a calendar's and these are no times.
        ValueError: A bar has no label.
    """
    found = _wall_times(labels) if anchor != "session" else np.asarray(labels)
    if found.ndim != 1:
        raise ValueError(f"session must have one dimension (bars), not {found.ndim}")
    if found.dtype.kind in "mMfcO" and (found != found).any():  # noqa: PLR0124 - NaN and NaT
        raise refuse("session", "a label for every bar", found[found != found][0])  # noqa: PLR0124
    if anchor == "session":
        return found
    days = found.astype("datetime64[D]")
    if anchor == "D":
        return days
    if anchor == "W":
        return (days.astype(np.int64) + 3) // 7  # from Monday; day 0 was a Thursday
    return found.astype("datetime64[M]").astype(np.int64) // _MONTHS[anchor]


def _wall_times(labels: Any) -> Any:
    """Return times as what a clock in their own zone shows."""
    clock = labels
    if type(labels).__module__.startswith("polars"):
        if "Datetime" in str(labels.dtype):
            clock = labels.dt.replace_time_zone(None)
    elif getattr(getattr(labels, "dtype", None), "tz", None) is not None:
        clock = (labels.dt if hasattr(labels, "dt") else labels).tz_localize(None)
    elif not hasattr(labels, "dtype"):
        clock = [t.replace(tzinfo=None) if isinstance(t, dt.datetime) else t for t in labels]
        if all(isinstance(t, dt.date) for t in clock):
            clock = np.array(clock, "datetime64[us]")
    found = np.asarray(clock)
    if found.dtype.kind != "M":
        raise TypeError(f"session must hold times for a calendar's anchor, not {found.dtype}")
    return found


def index_of(value: Any) -> Any:
    """Return the index of a pandas object if it is one of times."""
    index = getattr(value, "index", None)
    return index if getattr(getattr(index, "dtype", None), "kind", "") == "M" else None
