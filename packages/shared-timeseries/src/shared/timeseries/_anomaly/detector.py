"""Anomalies in a stream, one point at a time."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.core.checks import choice, number, refuse, whole

from .._time.sizes import read_size
from .._time.timeform import UNITS, read_time
from .days import Days
from .tail import Tail

if TYPE_CHECKING:
    from .._time.types import Size

# One set of constants for every metric. Rates are shares per point.
_QUICK = 0.08  # of the level that the next point is expected at
_SLOW = 0.001  # of the long-term level and of how far points usually are from it
_PHASE = 0.3  # of the seasonal profile
_PHASES = 48
_SEASONS = 3  # seasons that a phase must have been seen in
_BETTER = 0.6  # the profile is used if its error is below this share of the level's
_CLIP = 6.0  # the usual distances learn from an outlier as if it were this many of them away
_CLIP_PHASE = 20.0  # the same for the profile: a job of one point per day must not be unlearnt
_RECORD = 4.0  # surprise of leaving everything seen so far by a twentieth of its width
_SETTLE = 30  # points before anything is judged
_NOISE = 1e-9  # relative difference that is rounding
_HUGE = 1e150  # larger values count as this, so that nothing overflows
_EVEN = 5.5  # surprise of score 1/2: a chance of e ** -5.5, about one in 250


class Anomaly(NamedTuple):
    """What `AnomalyDetector.update` reports of one point."""

    score: float
    """0 (nothing new) to 1; 0.5 is a chance of about one in 250, 0.6 of one in 4000."""
    is_anomaly: bool
    expected: float
    """What the points before lead to expect; NaN before the first."""
    lower: float
    """Below this the distance from `expected` alone is an anomaly."""
    upper: float


class AnomalyDetector:
    """Scores each point of a metric against the points before it.

    Three things make a point surprising: its distance from what was expected (the recent
    level, or the time of day where that predicts better), the distance of the recent level from
    the long-term one, and leaving the range of everything seen so far. Each distance is judged
    by the largest ones of this metric so far: what happens every day is not news, nor is what
    the last two days held at the same time.

    An incident is reported once: after an alert, a point scores only if it is twice as
    surprising as what was reported, and that memory fades over `quiet` points.

    It never looks ahead, holds a few hundred numbers however long the stream is, and can be
    pickled. One detector is for one metric; it is not locked.

    Args:
        threshold: Score from which a point is an anomaly.
        warm_up: Points before the first alert; their scores are 0.
        quiet: Points over which an alert fades; 0 scores every point by itself.
        season: Length of the season, in wall time of the timestamps; None for none.
        unit: Unit of timestamps that are plain numbers.

    Example:
        >>> detector = AnomalyDetector()
        >>> for second in range(500):
        ...     _ = detector.update(second, 20 + second % 3)
        >>> detector.update(500, 21).is_anomaly, detector.update(501, 90).is_anomaly
        (False, True)
    """

    __slots__ = (
        "_aware",
        "_bar",
        "_count",
        "_days",
        "_error",
        "_errors",
        "_fade",
        "_high",
        "_jumps",
        "_level",
        "_levels",
        "_low",
        "_phase_day",
        "_phase_mean",
        "_phase_seen",
        "_quick",
        "_records",
        "_season",
        "_slow",
        "_slow_error",
        "_spread",
        "dropped",
        "threshold",
        "unit",
        "warm_up",
    )

    def __init__(
        self,
        *,
        threshold: float = 0.5,
        warm_up: int = 100,
        quiet: int = 200,
        season: Size | None = "1d",
        unit: str = "s",
    ) -> None:
        """Start without a history."""
        self.threshold: float = number("threshold", threshold, above=0, most=1)
        self.warm_up: int = max(whole("warm_up", warm_up, least=0), _SETTLE)
        self.unit: str = choice("unit", unit, UNITS)
        quiet = whole("quiet", quiet, least=0)
        step = None if season is None else read_size(season, "season", unit)
        if step is not None and step.months:
            raise refuse("season", "of a fixed length", season)
        self.dropped: int = 0
        """Points without a time or a finite value, which are ignored."""
        self._season = step.least_ns / 1e9 if step is not None else 0.0
        self._fade = math.exp(-1 / quiet) if quiet else 0.0
        self._aware: bool | None = None
        self._bar = self._records = 0.0
        self._count = 0
        self._quick = self._slow = self._low = self._high = math.nan
        self._spread = self._level = self._slow_error = 0.0
        self._jumps, self._levels = Tail(), Tail()
        self._days = Days(_PHASES)
        self._error, self._errors = 0.0, 0
        self._phase_mean = [0.0] * _PHASES
        self._phase_seen = [0] * _PHASES
        self._phase_day = [-1] * _PHASES

    def update(self, timestamp: Any, value: float | None) -> Anomaly:
        """Score one point, then learn from it.

        Args:
            timestamp: datetime, datetime64, ISO 8601 text, or a number.
            value: The metric's value; None, NaN and infinity are ignored.

        Raises:
            TypeError: Naive and aware times are mixed.
        """
        x = math.nan if value is None else float(value)
        seconds = self._seconds(timestamp)
        if seconds is None or not math.isfinite(x):
            return self._passed()
        if abs(x) > _HUGE:
            x = math.copysign(_HUGE, x)
        n = self._count = self._count + 1
        if n == 1:
            self._quick = self._slow = self._low = self._high = x
        quick, slow, spread = self._quick, self._slow, self._spread
        expected, usual = quick, spread
        slot = 0
        if self._season:
            slot = int(seconds // (self._season / _PHASES))
            turn, phase = divmod(slot, _PHASES)
            profile = self._phase_mean[phase]
            seen = self._phase_seen[phase] >= _SEASONS
            if seen and self._errors and self._error < _BETTER * spread:
                expected, usual = profile, self._error
            self._learn_phase(phase, turn, x, seen=seen)
        away = abs(x - expected)
        gain = max(_QUICK, 1 / n)
        level = quick + gain * (x - quick)
        total = 0.0
        if n > _SETTLE:
            total = self._surprise(x, away, expected, usual, abs(level - slow))
        self._learn(x, abs(x - quick), level)
        self._bar *= self._fade
        reach = usual * self._jumps.limit(_EVEN) if usual > 0 else 0.0
        lower, upper = expected - reach, expected + reach
        told = total <= 2 * self._bar or bool(self._season and self._days.usual(slot, x))
        if self._season:
            self._days.learn(slot, x)
        if n <= self.warm_up or told:
            return Anomaly(0.0, False, expected, lower, upper)  # noqa: FBT003
        self._bar = max(self._bar, total)
        score = total / (total + _EVEN)
        return Anomaly(score, score >= self.threshold, expected, lower, upper)

    def _passed(self) -> Anomaly:
        self.dropped += 1
        return Anomaly(0.0, False, self._quick, self._quick, self._quick)  # noqa: FBT003

    def _seconds(self, timestamp: Any) -> float | None:
        """Return wall seconds since 1970; None for NaN, NaT and None."""
        kind = type(timestamp)
        seconds: float
        if kind is float or kind is int:
            aware = True
            scale = 1 if self.unit == "s" else {"ms": 1e3, "us": 1e6, "ns": 1e9}[self.unit]
            seconds = timestamp / scale
            if seconds != seconds:  # noqa: PLR0124 - NaN
                return None
        elif isinstance(timestamp, dt.datetime):
            if timestamp != timestamp:  # noqa: PLR0124 - NaT
                return None
            aware = timestamp.tzinfo is not None
            day = (timestamp.toordinal() - 719_163) * 86_400
            seconds = day + timestamp.hour * 3600 + timestamp.minute * 60 + timestamp.second
        elif timestamp is None or timestamp != timestamp:  # noqa: PLR0124 - NaT
            return None
        else:
            ns, clock = read_time(timestamp, "timestamp", self.unit)
            seconds, aware = ns / 1e9, clock.aware
        if aware is not self._aware:
            if self._aware is not None:
                raise TypeError("timestamp must be all naive or all aware, not mixed")
            self._aware = aware
        return seconds

    def _surprise(self, x: float, away: float, expected: float, usual: float, off: float) -> float:
        """Return how unlikely the point is: two tails and the record, joined as squares."""
        if away <= _NOISE * max(abs(x), abs(expected)):
            jump = self._jumps.surprise(0.0)
        elif usual > 0:
            jump = self._jumps.surprise(away / usual)
        else:  # nothing ever moved
            jump = 1.5 * math.log(self._count)
        level = self._levels.surprise(off / self._level) if self._level > 0 else 0.0
        total = math.sqrt(jump * jump + level * level)
        beyond = max(x - self._high, self._low - x)
        if beyond > 0:
            width = self._high - self._low
            share = min(1.0, beyond / (0.05 * width)) if width > 0 else 1.0
            # Where records are common, as in a drift, one more is not news.
            total += share * min(_RECORD, 0.8 * math.log(self._count / (1 + self._records)))
            self._records += share
        return total

    def _learn(self, x: float, away: float, level: float) -> None:
        n, slow, spread, usual = self._count, self._slow, self._spread, self._level
        gain = max(_SLOW, 1 / n)
        settled = n > _SETTLE
        if settled and 0 < spread * _CLIP < away:
            away = spread * _CLIP
        self._spread = spread + gain * (away - spread)
        self._quick = level
        off = abs(level - slow)
        if settled and 0 < usual * _CLIP < off:
            off = usual * _CLIP
        self._level = usual + gain * (off - usual)
        step, far = x - slow, self._slow_error
        if settled and 0 < far * _CLIP < abs(step):
            step = math.copysign(far * _CLIP, step)
        self._slow_error = far + gain * (abs(step) - far)
        self._slow = slow + gain * step
        if x > self._high:
            self._high = x
        elif x < self._low:
            self._low = x

    def _learn_phase(self, phase: int, turn: int, x: float, *, seen: bool) -> None:
        mean = self._phase_mean[phase]
        if seen:
            self._errors += 1
            away, error = abs(x - mean), self._error
            if self._errors > _SETTLE and 0 < error * _CLIP_PHASE < away:
                away = error * _CLIP_PHASE
            self._error = error + max(_SLOW, 1 / self._errors) * (away - error)
        if self._phase_day[phase] != turn:
            self._phase_day[phase] = turn
            self._phase_seen[phase] += 1
            if self._phase_seen[phase] == 1:
                mean = x
        self._phase_mean[phase] = mean + _PHASE * (x - mean)
