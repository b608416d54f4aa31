"""The arguments of a call over windows, read once, for local functions and ClickHouse alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import choice, refuse

from .._data.answers import give
from .._kernels.runs import NAMES, quantile_of
from .._time.sizes import read_shift, read_size
from .._time.timeform import TimeForm, read_time, zone
from .._windows.grid import ALIGNS, Grid, from_wall, make_grid
from .._windows.windows import MAX_WINDOWS, too_many

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from .._data.columns import Points
    from .._time.sizes import Step
    from .._time.types import Align, Fill, Output, Side, Size, Time

EDGES = ("window_start", "window_end")
FILLS: tuple[Fill, ...] = ("none", "null", "previous", "linear", "0")
SIDES: tuple[Side, ...] = ("left", "right")
_ALIASES = {"mean": "avg", "average": "avg", "total": "sum", "minimum": "min", "maximum": "max"}

Bounds = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Request:
    """The windows, the range, the aggregates and the form of the result.

    Attributes:
        step: The size of a window; None for the whole range at once.
        names: The aggregates.
        shown: The columns in which they are shown.
        start: The start of the range, as the caller wrote it.
        end: Its end.
        tz: The zone of calendar windows; None for that of the times.
        unit: The unit of plain numbers.
        closed: The side on which a window owns its edge.
        shift: Nanoseconds by which all edges are shifted.
    """

    step: Step | None
    names: tuple[str, ...]
    shown: tuple[str, ...]
    fill: Fill
    align: Align
    tz: dt.tzinfo | None
    unit: str
    start: Time | None = None
    end: Time | None = None
    include_end: bool = False
    skipna: bool = True
    max_windows: int = MAX_WINDOWS
    output: Output | None = None
    fast: bool | None = None
    closed: Side = "left"
    shift: int = 0

    @property
    def late(self) -> int:
        """What an edge is later than the last instant of the window before it: 1 if that owns the edge."""
        return int(self.closed == "right")

    def limit(self, points: Points) -> tuple[Points, Bounds]:
        """Return the points of the range, in the zone, and the bounds as instants."""
        points = in_zone(points, self.tz)
        aware = points.time_form.aware if len(points.times) else None
        low, high = self._instant("start", self.start, aware), self._instant("end", self.end, aware)
        if low is None and high is None:
            return points, (None, None)
        if low is not None and high is not None and high < low:
            raise refuse("end", f"at or after start ({self.start})", self.end)
        keep = np.ones(len(points.times), dtype=bool)
        if low is not None:
            keep &= points.times >= low + self.late
        if high is not None:
            keep &= points.times < high + (self.include_end or self.late)
        return (points if keep.all() else points.where(keep)), (low, high)

    def _instant(self, name: str, bound: Time | None, aware: bool | None) -> int | None:
        """Return a bound as an instant; `aware` is None if there is no time to compare it with."""
        if bound is None:
            return None
        ns, time_form = read_time(bound, name, self.unit)
        if aware is None or time_form.aware == aware:
            return ns
        if self.tz is None or time_form.aware:
            raise TypeError(
                f"{name} must be naive or aware as the times of the data are, not mixed"
            )
        return from_wall(ns, self.tz)

    def plan(self, time_form: TimeForm, span: tuple[int, int], bounds: Bounds) -> Plan:
        """Return the windows of points within a span, unless there are too many."""
        assert self.step is not None
        (begin, last_time), (low, high) = span, bounds
        origin = begin if low is None else low
        closed: int | None = last_time if high is None else high
        grid = make_grid(self.step, origin, self.align, time_form.tz, self.shift)
        first_of, last_of = begin, last_time
        if self.fill != "none":
            first_of = begin if low is None else low + self.late
            last_of = last_time if high is None else max(high - 1 + self.late, last_time)
        rough = (last_of - first_of) // self.step.least_ns
        if rough > 2 * self.max_windows:
            raise too_many(rough, self.max_windows)
        first, last = grid.locate(first_of - self.late), grid.locate(last_of - self.late)
        if (
            self.include_end
            and not self.late
            and closed is not None
            and grid.edge(last) == closed
            and closed > origin
        ):
            last = last - 1
            first = min(first, last)
        else:
            closed = None
        if last - first + 1 > self.max_windows:
            raise too_many(last - first + 1, self.max_windows)
        return Plan(self, grid, first, last + 1, closed)

    def empty(self, by: Sequence[str]) -> dict[str, Any]:
        """Return the columns of the result when there are no points."""
        columns: dict[str, Any] = {name: [] for name in by}
        columns |= {name: np.empty(0) for name in (*EDGES, "count", *self.shown)}
        return columns | {name: np.empty(0, np.int64) for name in (*EDGES, "count")}

    def give(self, columns: dict[str, Any], points: Points) -> Any:
        """Return the columns of the windows in the requested form."""
        return give(columns, points, self.output, EDGES)


@dataclass(frozen=True, slots=True)
class Plan:
    """The windows of a request: `first` to `stop - 1` of a grid."""

    request: Request
    grid: Grid
    first: int
    stop: int
    closed_end: int | None  # points exactly here belong to the last window


def in_zone(points: Points, tz: dt.tzinfo | None) -> Points:
    """Return the points with their times in a zone; None leaves them in theirs."""
    if tz is None or not len(points.times):
        return points
    time_form = points.time_form
    if not time_form.aware:
        raise TypeError("tz must be omitted for naive times, which name no instant; localise them")
    return replace(points, time_form=TimeForm(time_form.kind, tz, time_form.unit))


def read_request(
    window_size: Size | None,
    aggregation: str | Sequence[str] = "count",
    *,
    fill: Fill = "none",
    align: Align = "start",
    tz: str | dt.tzinfo | None = None,
    unit: str = "s",
    size_name: str = "window_size",
    closed: Side = "left",
    offset: Size | None = None,
    **rest: Any,
) -> Request:
    """Read the arguments of a call, and refuse what is wrong before any data is read."""
    step = None if window_size is None else read_size(window_size, size_name, unit)
    names, shown = read_aggregations(aggregation)
    align = choice("align", align, ALIGNS)
    rest |= {"closed": choice("closed", closed, SIDES), "shift": read_shift(offset, "offset", unit)}
    return Request(step, names, shown, read_fill(fill), align, zone(tz), unit, **rest)


def read_aggregations(aggregation: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the canonical names of aggregates, and the columns in which they are shown.

    Raises:
        TypeError: Neither a name nor a list of names.
        ValueError: An aggregation that does not exist, or none.
    """
    if isinstance(aggregation, str):
        return (_canonical(aggregation),), ("value",)
    if not isinstance(aggregation, (list, tuple)):
        raise refuse("aggregation", "a name or a list of names", aggregation, TypeError)
    if not aggregation:
        raise refuse("aggregation", "at least one name", aggregation)
    given = tuple(dict.fromkeys(aggregation))
    return tuple(map(_canonical, given)), given


def _canonical(name: object) -> str:
    plain = _ALIASES.get(name, name) if isinstance(name, str) else ""
    if plain not in NAMES and (not plain or quantile_of(plain) is None):
        raise refuse("aggregation", f"one of {', '.join(NAMES)} or any pNN", name)
    return plain


def read_fill(fill: Any, name: str = "fill") -> Fill:
    """Return the name of a fill; 0 and None name one, too."""
    fill = "0" if fill == 0 and not isinstance(fill, bool) else "none" if fill is None else fill
    chosen: Fill = choice(name, fill, FILLS)
    return chosen
