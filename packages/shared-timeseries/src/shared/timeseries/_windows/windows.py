"""Windows of time as a lazy sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, overload

from shared.core.checks import choice, refuse

from .._legacy import renamed
from .._time.sizes import read_shift, read_size
from .._time.timeform import TimeForm, read_time, zone
from .grid import ALIGNS, Grid, from_wall, make_grid

if TYPE_CHECKING:
    import datetime as dt

    from .._time.types import Align, Size, Time

MAX_WINDOWS = 10_000_000


class TimeWindow(NamedTuple):
    """One window, `[start, end)`, in the form of the times that it was made of."""

    start: Any
    end: Any


class TimeWindows(Sequence[TimeWindow]):
    """Windows made on demand: `len()`, indexing and slicing build nothing.

    Made by `create_time_windows`. Equal to any list or tuple of the same pairs.
    """

    __slots__ = ("_grid", "_limit", "_numbers", "_start", "_time_form")

    def __init__(
        self, grid: Grid, time_form: TimeForm, numbers: range, limits: tuple[int, int | None]
    ) -> None:
        """Take the numbered windows of a grid, cut to the limits."""
        self._grid, self._time_form, self._numbers = grid, time_form, numbers
        self._start, self._limit = limits

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> TimeWindow: ...
    @overload
    def __getitem__(self, index: slice) -> TimeWindows: ...
    def __getitem__(self, index: int | slice) -> TimeWindow | TimeWindows:
        if isinstance(index, slice):
            limits = self._start, self._limit
            return TimeWindows(self._grid, self._time_form, self._numbers[index], limits)
        number = self._numbers[index]
        return self._window(self._grid.edge(number), self._grid.edge(number + 1))

    def _window(self, left: int, right: int) -> TimeWindow:
        if self._limit is not None:
            left, right = max(left, self._start), min(right, self._limit)
        return TimeWindow(self._time_form.out(left), self._time_form.out(right))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (TimeWindows, list, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if not len(self):
            return "<TimeWindows: none>"
        return f"<TimeWindows: {len(self)}, {self[0].start} to {self[-1].end}>"


@renamed(start_time="start", end_time="end")
def create_time_windows(
    start: Time,
    end: Time,
    window_size: Size,
    *,
    tz: str | dt.tzinfo | None = None,
    align: Align = "start",
    include_end: bool = False,
    offset: Size | None = None,
    unit: str = "s",
    max_windows: int = MAX_WINDOWS,
) -> TimeWindows:
    """Split `[start, end)` into half-open windows, made on demand.

    `"1d"`, `"1w"`, `"1mo"`, `"1q"` and `"1y"` are calendar steps in the zone: a day has 23, 24
    or 25 hours over a clock change. `"24h"`, a timedelta and a number are durations.

    Args:
        start: First instant: datetime, date, datetime64, ISO 8601 text, or a number.
        end: Instant after the last, in the same form.
        window_size: `"5m"`, `"1d"`, a timedelta, or a number in `unit`.
        tz: Zone of calendar steps; the zone of `start` if omitted. Naive times with a zone are
            wall times in it.
        align: `"start"`: windows start at `start` and the last is cut at `end`.
            `"epoch"`: whole windows, at multiples of the size since 1970 (weeks on Monday).
            `"calendar"`: whole windows, counted from local midnight.
        include_end: Whether `end` itself belongs to the range: it joins the last window, and a
            range of one instant makes one window.
        offset: Shift of all edges, such as `"15m"` or `"-6h"`.
        unit: Unit of plain numbers: `"s"`, `"ms"`, `"us"` or `"ns"`.
        max_windows: More windows than this are refused.

    Returns:
        A sequence of `TimeWindow(start, end)` in the form that came in.

    Raises:
        TypeError: Naive and aware times are mixed.
        ValueError: A size of zero or less, `end` before `start`, too many windows.

    Example:
        >>> from datetime import datetime
        >>> windows = create_time_windows(datetime(2024, 1, 1), datetime(2024, 1, 2), "6h")
        >>> len(windows), windows[1].start.hour, windows[1].end.hour
        (4, 6, 12)
        >>> berlin = create_time_windows(
        ...     "2024-03-30T00:00+01:00", "2024-04-01T00:00+02:00", "1d", tz="Europe/Berlin"
        ... )
        >>> [str(window.end - window.start) for window in berlin], len(berlin)
        (['1 day, 0:00:00', '1 day, 0:00:00'], 2)
        >>> [(w.end.timestamp() - w.start.timestamp()) / 3600 for w in berlin]
        [24.0, 23.0]
    """
    step, shift = read_size(window_size, "window_size", unit), read_shift(offset, "offset", unit)
    choice("align", align, ALIGNS)
    first, time_form = read_time(start, "start", unit)
    last, other = read_time(end, "end", unit)
    numbers = time_form.kind == "number", other.kind == "number"
    if time_form.aware != other.aware or numbers[0] != numbers[1]:
        raise TypeError("start and end must be both naive, both aware or both numbers, not mixed")
    place = zone(tz)
    if place is not None and not time_form.aware:
        first, last = from_wall(first, place), from_wall(last, place)
        kind = "datetime" if time_form.kind == "datetime64" else time_form.kind
        time_form = TimeForm(kind, place, unit)
    elif place is not None:
        time_form = TimeForm(time_form.kind, place, time_form.unit)
    if last < first:
        raise refuse("end", f"at or after start ({start})", end)
    grid = make_grid(step, first, align, time_form.tz, shift)
    begin = grid.locate(first)
    if (last - first) // step.least_ns > 2 * max_windows:
        count = (last - first) // step.least_ns
    elif last > first:
        count = grid.locate(last - 1) + 1 - begin
    else:
        count = int(include_end)
    if count > max_windows:
        raise too_many(count, max_windows)
    cut = last if align == "start" and last > first else None
    return TimeWindows(grid, time_form, range(begin, begin + count), (first, cut))


def too_many(count: int, allowed: int) -> ValueError:
    """Return the error for more windows than are allowed."""
    return ValueError(f"window_size makes {count} windows, more than max_windows={allowed}")
