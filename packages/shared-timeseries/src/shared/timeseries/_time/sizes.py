"""Window sizes: durations (`24h`) and calendar steps (`1d`)."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import refuse

from .timeform import UNITS

if TYPE_CHECKING:
    from .types import Size

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
_TEXT = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)?\s*([a-zA-Zµ]+)\s*")


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


def read_size(size: Size | Any, name: str = "window_size", unit: str = "s") -> Step:
    """Read a size as a step.

    Raises:
        ValueError: Zero, negative, finer than a nanosecond, or text that is not a size.
        TypeError: Neither text nor a number nor a timedelta.
    """
    if isinstance(size, str):
        return _read_text(size, name)
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


def _read_text(text: str, name: str) -> Step:
    match = _TEXT.fullmatch(text)
    allowed = ", ".join([*_NS, *_DAYS, *_MONTHS])
    if match is None:
        raise refuse(name, f"a size such as '5m' (units: {allowed})", text)
    number, unit = match[1] or "1", match[2]
    unit = unit if unit in _NS else unit.lower()
    if float(number) <= 0:
        raise refuse(name, "above zero", text)
    if unit in _NS:
        ns = round(float(number) * _NS[unit]) if "." in number else int(number) * _NS[unit]
        if ns <= 0:
            raise refuse(name, "at least a nanosecond", text)
        return Step(ns=ns)
    if unit not in _DAYS and unit not in _MONTHS:
        raise refuse(name, f"in a known unit ({allowed})", text)
    if "." in number:
        raise refuse(name, "a whole number of calendar steps, or a duration such as '36h'", text)
    if unit in _DAYS:
        return Step(days=int(number) * _DAYS[unit])
    return Step(months=int(number) * _MONTHS[unit])
