"""Window sizes: durations (`24h`) and calendar steps (`1d`)."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._clock import UNITS

if TYPE_CHECKING:
    from ._types import Size

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
    """A size as a step.

    Raises:
        ValueError: zero, negative, finer than a nanosecond, or text that is no size.
        TypeError: neither text nor a number nor a timedelta.
    """
    if isinstance(size, str):
        return _read_text(size, name)
    if isinstance(size, dt.timedelta):
        ns = (size.days * 86_400 + size.seconds) * 10**9 + size.microseconds * 1000
        ns += getattr(size, "nanoseconds", 0)
    elif isinstance(size, np.timedelta64):
        if np.datetime_data(size.dtype)[0] in {"Y", "M", "generic"} or np.isnat(size):
            raise ValueError(f"{name}: {size!r} has no fixed length; write '1mo' or '1y'")
        ns = int(size.astype("timedelta64[ns]").astype(np.int64))
    elif isinstance(size, (int, float, np.integer, np.floating)) and not isinstance(size, bool):
        if not math.isfinite(size):
            raise ValueError(f"{name}: {size} is not a size")
        ns = round(size * UNITS[unit]) if isinstance(size, float) else int(size) * UNITS[unit]
    else:
        raise TypeError(
            f"{name}: text like '5m', a timedelta or seconds, not {type(size).__name__}"
        )
    if ns <= 0:
        raise ValueError(f"{name}: {size!r} is not above zero")
    return Step(ns=ns)


def _read_text(text: str, name: str) -> Step:
    match = _TEXT.fullmatch(text)
    allowed = ", ".join([*_NS, *_DAYS, *_MONTHS])
    if match is None:
        raise ValueError(f"{name}: {text!r} is not a size such as '5m' (units: {allowed})")
    number, unit = match[1] or "1", match[2]
    unit = unit if unit in _NS else unit.lower()
    if float(number) <= 0:
        raise ValueError(f"{name}: {text!r} is not above zero")
    if unit in _NS:
        ns = round(float(number) * _NS[unit]) if "." in number else int(number) * _NS[unit]
        if ns <= 0:
            raise ValueError(f"{name}: {text!r} is finer than a nanosecond")
        return Step(ns=ns)
    if unit not in _DAYS and unit not in _MONTHS:
        raise ValueError(f"{name}: {text!r} has no known unit (units: {allowed})")
    if "." in number:
        raise ValueError(f"{name}: {text!r}: calendar steps are whole; '36h' is a duration")
    if unit in _DAYS:
        return Step(days=int(number) * _DAYS[unit])
    return Step(months=int(number) * _MONTHS[unit])
