"""Columns of points, and reading a column of numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import refuse

from .._time.timeform import NAT, TimeForm, is_arrow

if TYPE_CHECKING:
    from .._time.types import Float64s, Int64s, Output


class Line:
    """One series that has been read and sorted: what readers of data know of a `TimeSeries`."""

    __slots__ = ("_times", "_values", "dropped", "time_form")

    time_form: TimeForm
    dropped: int
    _times: Int64s
    _values: Float64s

    def _set(self, ns: Int64s, numbers: Float64s, time_form: TimeForm) -> None:
        gone = 0
        if not is_sorted(ns):
            order = np.argsort(ns, kind="stable")
            ns, numbers = ns[order], numbers[order]
        if len(ns) and ns[0] == NAT:
            gone = int(np.searchsorted(ns, NAT, side="right"))
            ns, numbers = ns[gone:], numbers[gone:]
        self._times, self._values = ns.view(), numbers.view()
        self._times.flags.writeable = self._values.flags.writeable = False
        self.time_form, self.dropped = time_form, gone

    @property
    def times(self) -> Int64s:
        """Nanoseconds since 1970 (UTC), ascending, read-only."""
        return self._times

    @property
    def values(self) -> Float64s:
        """The values, read-only."""
        return self._values


@dataclass(frozen=True, slots=True)
class Points:
    """Columns of data in the order in which they came, without the rows that have no time."""

    times: Int64s
    values: Float64s
    time_form: TimeForm
    form: Output
    time_name: str = "timestamp"
    value_name: str = "value"
    codes: Int64s | None = None  # group of each row
    keys: tuple[tuple[Any, ...], ...] = ()  # group keys in sorted order
    by: tuple[str, ...] = ()
    dropped: int = 0
    ordered: bool | None = None  # whether the times never go back; None: not checked yet

    @property
    def names(self) -> tuple[str, str]:
        """The names of the time and the value column."""
        return self.time_name, self.value_name

    def where(self, keep: Any, **changes: Any) -> Points:
        """Return the rows that are kept."""
        codes = None if self.codes is None else self.codes[keep]
        times, values = self.times[keep], self.values[keep]
        return replace(self, times=times, values=values, codes=codes, **changes)


def settled(points: Points) -> Points:
    """Drop the rows that have no time and check whether the rest is in order, unless that is known."""
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
    return points.where(~gone, dropped=dropped, ordered=ordered)


def is_sorted(ns: Int64s) -> bool:
    """Return whether times never go back; in blocks, so that it ends early and stays in the cache."""
    size = 1 << 16
    return all(
        bool((ns[i + 1 : i + size + 1] >= ns[i : i + size][: len(ns) - i - 1]).all())
        for i in range(0, len(ns) - 1, size)
    )


def read_values(values: Any, name: str) -> Float64s:
    """Read a column of numbers as float64; None is NaN, integers never overflow.

    Raises:
        TypeError: Something that is not a number.
        ValueError: Not one dimension.
    """
    if isinstance(values, Line):
        return values.values
    if is_arrow(values):
        values = np.asarray(values)  # `to_numpy` refuses missing values
    if not isinstance(values, np.ndarray) and hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if not isinstance(values, np.ndarray):
        values = values if isinstance(values, (list, tuple)) else list(values)
        for kind in set(map(type, values)):
            if issubclass(kind, (str, bytes)):
                where = next(i for i, v in enumerate(values) if isinstance(v, (str, bytes)))
                raise refuse(f"{name}[{where}]", "a number", values[where], TypeError)
        try:
            values = np.array(values, dtype=np.float64)
        except (TypeError, ValueError):
            values = np.array(values, dtype=object)
    if values.dtype.kind in "biuf":
        array: Float64s = values.astype(np.float64, copy=False)
    elif values.dtype.kind == "O":
        array = np.array([_number(v, f"{name}[{i}]") for i, v in enumerate(values)], np.float64)
    else:
        raise TypeError(f"{name} must hold numbers, not {values.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {array.ndim}")
    return array


def _number(value: Any, name: str) -> float:
    # Looser than core's `number`: bools count as 0 and 1 in a column, as they do for NumPy.
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return np.nan
    if isinstance(value, (str, bytes)) or getattr(value, "ndim", 0) > 0:
        raise refuse(name, "a number", value, TypeError)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise refuse(name, "a number", value, TypeError) from error
