"""A thin, immutable view of one series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ._clock import NAT, Clock, read_times, zone

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    import pandas as pd

    from ._types import Float64s, Int64s


class TimeSeries:
    """Times as int64 nanoseconds (UTC) and float64 values, sorted and read-only.

    Sorted int64 and float64 arrays are not copied. Points without a time are dropped and
    counted in `dropped`; equal times keep all their points.

    Args:
        times: Date-times of any kind, or numbers in `unit`.
        values: As many numbers; None is NaN.
        tz: Zone that results are shown in. Naive times stay naive when it is not given.
        unit: Unit of plain numbers; nanoseconds when not given.

    Example:
        >>> series = TimeSeries([120, 0, 60], [3.0, 1.0, 2.0], unit="s")
        >>> series.values.tolist(), series.times.tolist()[1]
        ([1.0, 2.0, 3.0], 60000000000)
        >>> len(series[1:])
        2
    """

    __slots__ = ("_times", "_values", "clock", "dropped")
    clock: Clock
    dropped: int
    _times: Int64s
    _values: Float64s

    def __init__(
        self,
        times: Any,
        values: Any,
        *,
        tz: str | dt.tzinfo | None = None,
        unit: str = "ns",
    ) -> None:
        """Read the times and values, and sort them where they are not sorted."""
        from ._points import read_values

        ns, clock = read_times(times, "times", unit)
        numbers = read_values(values, "values")
        if len(ns) != len(numbers):
            raise ValueError(f"times, values: {len(ns)} times but {len(numbers)} values")
        if tz is not None:
            if not clock.aware:
                raise TypeError("times, tz: naive times have no instant in a zone; localise them")
            clock = Clock("timestamp" if clock.kind == "timestamp" else "datetime", zone(tz))
        self._set(ns, numbers, clock)

    def _set(self, ns: Int64s, numbers: Float64s, clock: Clock) -> None:
        gone = 0
        if not is_sorted(ns):
            order = np.argsort(ns, kind="stable")
            ns, numbers = ns[order], numbers[order]
        if len(ns) and ns[0] == NAT:
            gone = int(np.searchsorted(ns, NAT, side="right"))
            ns, numbers = ns[gone:], numbers[gone:]
        self._times, self._values = ns.view(), numbers.view()
        self._times.flags.writeable = self._values.flags.writeable = False
        self.clock, self.dropped = clock, gone

    @classmethod
    def _of(cls, ns: Int64s, numbers: Float64s, clock: Clock) -> TimeSeries:
        """A series from parts that are already read."""
        made = cls.__new__(cls)
        made._set(ns, numbers, clock)  # noqa: SLF001
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
        """A series from a list of dicts, a frame, `(times, values)`, or a series.

        Example:
            >>> TimeSeries.of([{"at": 0, "cpu": 5}, {"at": 1, "cpu": None}], "at", "cpu").values
            array([ 5., nan])
        """
        from ._points import read_points

        points = read_points(data, timestamp_field, value_field, unit=unit)
        return cls._of(points.times, points.values, points.clock)

    @property
    def times(self) -> Int64s:
        """Nanoseconds since 1970 (UTC), ascending, read-only."""
        return self._times

    @property
    def values(self) -> Float64s:
        """The values, read-only."""
        return self._values

    @property
    def tz(self) -> dt.tzinfo | None:
        """The zone of the times, or None for naive times."""
        return self.clock.tz

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[tuple[Any, float]]:
        out = self.clock.out
        return ((out(int(t)), float(v)) for t, v in zip(self._times, self._values, strict=True))

    def __getitem__(self, index: slice) -> TimeSeries:
        """A part of the series, without a copy."""
        if not isinstance(index, slice):
            raise TypeError(f"index: a slice is needed, not {type(index).__name__}")
        return TimeSeries._of(self._times[index], self._values[index], self.clock)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TimeSeries):
            return NotImplemented
        same = np.array_equal(self._times, other._times)
        return same and np.array_equal(self._values, other._values, equal_nan=True)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not len(self):
            return "<TimeSeries: no points>"
        first, last = (self.clock.out(int(self._times[i])) for i in (0, -1))
        return f"<TimeSeries: {len(self)} points, {first} to {last}>"

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, "dropped"):
            raise AttributeError(f"{name}: a TimeSeries does not change")
        object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (np.asarray(self._times), np.asarray(self._values), self.clock)

    def to_pandas(self) -> pd.Series[float]:
        """A pandas Series on a DatetimeIndex in the series' zone."""
        import pandas as pd

        index = pd.DatetimeIndex(self._times.view("datetime64[ns]"), name="timestamp")
        if self.tz is not None:
            index = index.tz_localize("UTC").tz_convert(self.tz)
        return pd.Series(np.array(self._values), index=index, name="value")


def _again(ns: Int64s, numbers: Float64s, clock: Clock) -> TimeSeries:
    return TimeSeries._of(ns, numbers, clock)  # noqa: SLF001


def is_sorted(ns: Int64s) -> bool:
    """Whether times never go back; looks in blocks, so that it ends early and stays in cache."""
    size = 1 << 16
    return all(
        bool((ns[i + 1 : i + size + 1] >= ns[i : i + size][: len(ns) - i - 1]).all())
        for i in range(0, len(ns) - 1, size)
    )
