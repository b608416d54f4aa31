"""What a service means by `Retry-After`."""

from __future__ import annotations

import datetime as dt
import math

LONGEST = 86_400.0


def seconds_of(value: float | dt.timedelta | str | None) -> float | None:
    """Return the seconds to wait, at least 0, or `None` if the value does not tell.

    More than a day is `inf`: nobody waits that long for the next attempt.

    Args:
        value: Seconds, a `timedelta`, or the text of a `Retry-After` header: whole
            seconds or an HTTP date (RFC 9110, section 10.2.3).

    Example:
        >>> seconds_of("120"), seconds_of("soon"), seconds_of(-1.0)
        (120.0, None, 0.0)
        >>> seconds_of("9999999999")
        inf
    """
    if value is None:
        return None
    if isinstance(value, dt.timedelta):
        value = value.total_seconds()
    if isinstance(value, str):
        try:
            value = float(value) if value.strip().isdigit() else _until(value)
        except (TypeError, ValueError, OverflowError):
            return None
    try:
        seconds = float(value)
    except OverflowError:  # a whole number beyond every float
        seconds = math.inf if value > 0 else 0.0
    if math.isnan(seconds):
        return None
    return max(0.0, seconds) if seconds <= LONGEST else math.inf


def _until(text: str) -> float:
    from email.utils import parsedate_to_datetime

    when = parsedate_to_datetime(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=dt.UTC)
    # An HTTP date is on the wall clock: there is no other way to read it.
    return (when - dt.datetime.now(dt.UTC)).total_seconds()
