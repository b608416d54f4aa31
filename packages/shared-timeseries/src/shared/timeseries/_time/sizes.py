"""Window sizes: durations (`24h`) and calendar steps (`1d`)."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.core.checks import refuse

from .timeform import UNITS, is_arrow

_NS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
}
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"mo": 1, "q": 3, "y": 12}
# What pandas and people write. The case of M and MS decides: months there, minutes and
# milliseconds here, so nothing is read in another case than it is listed in but the letters below.
_ALIASES = {
    **dict.fromkeys(("M", "MS", "ME", "month", "months"), "mo"),
    **dict.fromkeys(("QS", "QE", "quarter", "quarters"), "q"),
    **dict.fromkeys(("YS", "YE", "year", "years"), "y"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **{letter.upper(): letter for letter in ("d", "w", "h", "s", "q", "y")},
}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)?\s*([a-zA-Zµ]+)\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """A window's size: exactly one of the three is above zero."""

    ns: int = 0
    days: int = 0
    months: int = 0

    @property
    def least_ns(self) -> int:
        """The size in nanoseconds; for a calendar step its nominal length."""
        return self.ns or self.days * 86_400 * 10**9 or self.months * 28 * 86_400 * 10**9


def read_size(size: Any, name: str = "window_size", unit: str = "s") -> Step:
    """Read a size as a step.

    Raises:
        ValueError: Zero, negative, finer than a nanosecond, or text that is not a size.
        TypeError: Neither text nor a number nor a timedelta.
    """
    if isinstance(size, str):
        return _read_text(size, name)
    if hasattr(size, "freqstr") and hasattr(size, "rule_code"):
        return _read_offset(size, name)
    if is_arrow(size) and hasattr(size, "as_py"):
        size = size.as_py()
    if isinstance(size, dt.timedelta):
        ns = (size.days * 86_400 + size.seconds) * 10**9 + size.microseconds * 1000
        ns += getattr(size, "nanoseconds", 0)
    elif isinstance(size, np.timedelta64):
        if np.datetime_data(size.dtype)[0] in {"Y", "M", "generic"} or np.isnat(size):
            raise refuse(name, "of a fixed length, or written '1mo' or '1y'", size)
        ns = int(size.astype("timedelta64[ns]").astype(np.int64))
    elif isinstance(size, (int, float, np.integer, np.floating)) and not isinstance(size, bool):
        if not math.isfinite(size):
            raise refuse(name, "finite", size)
        ns = round(size * UNITS[unit]) if isinstance(size, float) else int(size) * UNITS[unit]
    else:
        raise refuse(name, "text such as '5m', a timedelta or a number", size, TypeError)
    if ns <= 0:
        raise refuse(name, "above zero", size)
    return Step(ns=ns)


def read_shift(shift: Any, name: str = "offset", unit: str = "s") -> int:
    """Read how far edges of windows are shifted, as nanoseconds; a duration of either sign, or None."""
    if shift is None:
        return 0
    back = False
    if isinstance(shift, str):
        shift = shift.strip()
        back = shift.startswith("-")
        shift = shift[1:] if back else shift
    elif isinstance(shift, (int, float, np.number, dt.timedelta, np.timedelta64)):
        if not shift:
            return 0
        back = bool(shift < type(shift)(0))  # type: ignore[operator]
        shift = -shift if back else shift
    step = read_size(shift, name, unit)
    if step.months:
        raise refuse(name, "of a fixed length", shift)
    ns = step.ns + step.days * 86_400 * 10**9
    return -ns if back else ns


def _read_offset(size: Any, name: str) -> Step:
    """Read a pandas offset: what its alias says, but for days it cannot count in whole weeks or months."""
    alias = size.rule_code.partition("-")[0]
    if alias == "W" and getattr(size, "weekday", None) not in {None, 6}:
        raise refuse(name, "weeks that start on Monday (W-SUN)", size)
    if alias.startswith(("Q", "Y")) and size.rule_code.partition("-")[2] not in {"", "DEC", "JAN"}:
        raise refuse(name, "quarters or years of the calendar", size)
    return _read_text(f"{size.n}{alias}", name)


def _read_text(text: str, name: str) -> Step:
    """Read one part such as "5m", or several such as "1h30m" that are all durations or all calendar steps."""
    allowed = ", ".join([*_NS, *_DAYS, *_MONTHS])
    whole = text.strip()
    if whole.startswith("-"):
        raise refuse(name, "above zero", text)
    ns = days = months = at = 0
    parts = 0
    while at < len(whole) or not parts:
        match = _PART.match(whole, at + (whole[:1] == "+" and not at))
        if match is None or (parts and match[1] is None):
            raise refuse(name, f"a size such as '5m' or '1h30m' (units: {allowed})", text)
        at, parts = match.end(), parts + 1
        number, unit = match[1] or "1", _ALIASES.get(match[2], match[2])
        if unit in _NS:
            ns += round(float(number) * _NS[unit]) if "." in number else int(number) * _NS[unit]
            if not ns and float(number):
                raise refuse(name, "at least a nanosecond", text)
            continue
        if unit not in _DAYS and unit not in _MONTHS:
            raise refuse(name, f"in a known unit ({allowed})", text)
        if "." in number:
            what = "a whole number of calendar steps, or a duration such as '36h'"
            raise refuse(name, what, text)
        days += int(number) * _DAYS.get(unit, 0)
        months += int(number) * _MONTHS.get(unit, 0)
    if (ns > 0) + (days > 0) + (months > 0) > 1:
        what = "durations ('36h'), days and weeks, or months and years, not a mixture"
        raise refuse(name, what, text)
    if not ns + days + months:
        raise refuse(name, "above zero", text)
    return Step(ns=ns, days=days, months=months)
