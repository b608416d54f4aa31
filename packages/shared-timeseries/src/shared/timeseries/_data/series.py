"""A thin, immutable view of one series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shared.core.checks import refuse

from .._time.timeform import TimeForm, read_times, zone
from .columns import Line, read_values
from .points import read_points

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    import pandas as pd

    from .._time.types import Float64s, Int64s


class TimeSeries(Line):
    """Times as int64 nanoseconds (UTC) and float64 values, sorted and read-only.

    Sorted int64 and float64 arrays are not copied. Points without a time are dropped and
    counted in `dropped`; equal times keep all their points.

    Args:
        times: Date-times of any kind, or numbers in `unit`.
        values: As many numbers; None is NaN.
        tz: Zone in which results are shown. If omitted, naive times stay naive.
        unit: Unit of plain numbers; nanoseconds if omitted.

    Attributes:
        times: Nanoseconds since 1970 (UTC), ascending, read-only.
        values: The values, read-only.
        time_form: The form in which the times came.
        dropped: How many points without a time were dropped.

    Example:
        >>> series = TimeSeries([120, 0, 60], [3.0, 1.0, 2.0], unit="s")
        >>> series.values.tolist(), series.times.tolist()[1]
        ([1.0, 2.0, 3.0], 60000000000)
        >>> len(series[1:])
        2
    """

    __slots__ = ()

    def __init__(
        self,
        times: Any,
        values: Any,
        *,
        tz: str | dt.tzinfo | None = None,
        unit: str = "ns",
    ) -> None:
        """Read the times and values, and sort them if they are not sorted."""
        ns, time_form = read_times(times, "times", unit)
        numbers = read_values(values, "values")
        if len(ns) != len(numbers):
            raise ValueError(f"values must be as many as times, not {len(numbers)} for {len(ns)}")
        if tz is not None:
            if not time_form.aware:
                raise TypeError("times must be aware to be shown in a zone; localise them")
            time_form = TimeForm(
                "timestamp" if time_form.kind == "timestamp" else "datetime", zone(tz)
            )
        self._set(ns, numbers, time_form)

    @classmethod
    def _of(cls, ns: Int64s, numbers: Float64s, time_form: TimeForm) -> TimeSeries:
        """Make a series from parts that have been read."""
        made = cls.__new__(cls)
        made._set(ns, numbers, time_form)  # noqa: SLF001 - the class's own
        return made

    @classmethod
    def of(
        cls,
        data: Any,
        timestamp_field: str | None = None,
        value_field: str | None = None,
        *,
        unit: str = "s",
    ) -> TimeSeries:
        """Read a series from a list of dicts, a frame, `(times, values)`, or a series.

        Example:
            >>> TimeSeries.of([{"at": 0, "cpu": 5}, {"at": 1, "cpu": None}], "at", "cpu").values
            array([ 5., nan])
        """
        points = read_points(data, timestamp_field, value_field, unit=unit)
        return cls._of(points.times, points.values, points.time_form)

    @property
    def tz(self) -> dt.tzinfo | None:
        """The zone of the times, or None for naive times."""
        return self.time_form.tz

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[tuple[Any, float]]:
        out = self.time_form.out
        return ((out(int(t)), float(v)) for t, v in zip(self._times, self._values, strict=True))

    def __getitem__(self, index: slice) -> TimeSeries:
        """Return a part of the series, without a copy."""
        if not isinstance(index, slice):
            raise refuse("index", "a slice", index, TypeError)
        return self._of(self._times[index], self._values[index], self.time_form)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TimeSeries):
            return NotImplemented
        same = np.array_equal(self._times, other._times)
        return same and np.array_equal(self._values, other._values, equal_nan=True)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not len(self):
            return "<TimeSeries: no points>"
        first, last = (self.time_form.out(int(self._times[i])) for i in (0, -1))
        return f"<TimeSeries: {len(self)} points, {first} to {last}>"

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, "dropped"):
            raise AttributeError(f"{name} cannot be set: a TimeSeries does not change")
        object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        form = self.time_form
        parts = np.asarray(self._times), np.asarray(self._values), form.kind, form.tz, form.unit
        return self._restored, parts

    @classmethod
    def _restored(cls, ns: Int64s, numbers: Float64s, *form: Any) -> TimeSeries:
        """Make the series of a pickle, which names no private class."""
        return cls._of(ns, numbers, TimeForm(*form))

    def to_pandas(self) -> pd.Series[float]:
        """Return a pandas Series on a DatetimeIndex in the series' zone."""
        import pandas as pd

        index = pd.DatetimeIndex(self._times.view("datetime64[ns]"), name="timestamp")
        if self.tz is not None:
            index = index.tz_localize("UTC").tz_convert(self.tz)
        return pd.Series(np.array(self._values), index=index, name="value")


def series_of(ns: Int64s, numbers: Float64s, time_form: TimeForm) -> TimeSeries:
    """Make a series from parts that have been read."""
    return TimeSeries._of(ns, numbers, time_form)  # noqa: SLF001 - not for users
