"""Where windows start: numbered instants, computed on demand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .._time.timeform import EPOCH

if TYPE_CHECKING:
    from .._time.sizes import Step
    from .._time.types import Align, Int64s

_DAY = 86_400 * 10**9
_LAST = (dt.datetime.max.replace(tzinfo=dt.UTC) - EPOCH) // dt.timedelta(microseconds=1) * 1000
ALIGNS: tuple[Align, ...] = ("start", "epoch", "calendar")


@dataclass(frozen=True, slots=True)
class Grid:
    """Edge number `i` of windows of one size; edge 0 is at or before the start.

    A calendar step counts in wall time: the edge is the first instant at which the zone's
    clocks show at least that wall time, so that a day has 23, 24 or 25 hours over a change.
    """

    step: Step
    origin: int  # nanoseconds: UTC for a duration, wall time for a calendar step
    tz: dt.tzinfo | None

    def edge(self, number: int) -> int:
        """Return the instant at which window `number` starts."""
        if self.step.ns:
            return self.origin + number * self.step.ns
        try:
            if self.step.days:
                return from_wall(self.origin + number * self.step.days * _DAY, self.tz)
            return from_wall(_add_months(self.origin, number * self.step.months), self.tz)
        except (OverflowError, ValueError):  # past the year 9999
            return _LAST

    def locate(self, ns: int) -> int:
        """Return the number of the window that holds an instant."""
        if self.step.ns:
            return (ns - self.origin) // self.step.ns
        guess = (to_wall(ns, self.tz) - self.origin) // (
            self.step.days * _DAY or round(self.step.months * 30.436875 * _DAY)
        )
        while self.edge(guess) > ns:
            guess -= 1
        while self.edge(guess + 1) <= ns:
            guess += 1
        return guess

    def edges(self, first: int, stop: int) -> Int64s:
        """Return the edges `first` to `stop - 1` as an array."""
        if self.step.ns:
            return np.arange(first, stop, dtype=np.int64) * self.step.ns + self.origin
        return np.array([self.edge(i) for i in range(first, stop)], dtype=np.int64)


def make_grid(step: Step, start: int, align: Align, tz: dt.tzinfo | None, shift: int = 0) -> Grid:
    """Return the grid whose window 0 holds `start`, before all edges are shifted."""
    if shift:
        return replace(grid := make_grid(step, start, align, tz), origin=grid.origin + shift)
    if step.ns:
        if align == "start":
            origin = start
        elif align == "epoch":
            origin = start - start % step.ns
        else:
            wall = to_wall(start, tz)
            midnight = from_wall(wall - wall % _DAY, tz)
            origin = start - (start - midnight) % step.ns
        return Grid(step, origin, tz)
    wall = to_wall(start, tz)
    if align == "start":
        midnight = wall - wall % _DAY
        # Where clocks skip midnight, the day's first instant shows a later time: days start there.
        return Grid(step, midnight if from_wall(midnight, tz) == start else wall, tz)
    if step.days:
        days = wall // _DAY
        # Weeks start on Monday; day 0 was a Thursday.
        days -= (days + 3) % step.days if step.days % 7 == 0 else days % step.days
        return Grid(step, days * _DAY, tz)
    date = _wall_date(wall)
    months = date.year * 12 + date.month - 1
    months -= months % step.months
    first = dt.datetime(months // 12, months % 12 + 1, 1, tzinfo=dt.UTC)
    return Grid(step, (first - EPOCH).days * _DAY, tz)


def to_wall(ns: int, tz: dt.tzinfo | None) -> int:
    """Return what a wall clock in the zone shows, counted as if it were UTC."""
    if tz is None or tz is dt.UTC:
        return ns
    moment = EPOCH + dt.timedelta(microseconds=ns // 1000)
    return ns + _offset(moment.astimezone(tz))


def from_wall(wall: int, tz: dt.tzinfo | None) -> int:
    """Return the first instant at which clocks show a wall time, or the end of the gap that skips it."""
    if tz is None or tz is dt.UTC:
        return wall
    local = (EPOCH + dt.timedelta(microseconds=wall // 1000)).replace(tzinfo=tz, fold=0)
    instant = wall - _offset(local)
    if to_wall(instant, tz) == wall:
        return instant
    # In a gap: the offset before the gap lands behind it; the end of the gap is wanted.
    after = wall - _offset(local.replace(fold=1))
    low, high = min(after, instant), max(after, instant)
    shown = to_wall(low, tz) - low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if to_wall(middle, tz) - middle == shown else (low, middle)
    return high


def _offset(local: dt.datetime) -> int:
    offset = local.utcoffset() or dt.timedelta()
    return (offset.days * 86_400 + offset.seconds) * 10**9 + offset.microseconds * 1000


def _wall_date(wall: int) -> dt.date:
    return (EPOCH + dt.timedelta(days=wall // _DAY)).date()


def _add_months(wall: int, months: int) -> int:
    """Return the same day of a later month, or that month's last day."""
    date = _wall_date(wall)
    count = date.year * 12 + date.month - 1 + months
    year, month = divmod(count, 12)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    length = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month]
    moved = dt.datetime(year, month + 1, min(date.day, length), tzinfo=dt.UTC)
    return (moved - EPOCH).days * _DAY + wall % _DAY
