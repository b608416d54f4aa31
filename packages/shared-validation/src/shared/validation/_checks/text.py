"""Text of a form: each pattern has one way to match, so that no text makes it slow."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from uuid import UUID

_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII
)
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*(?<!-)")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)([Tt ])((?:[01]\d|2[0-3]):[0-5]\d)(?::(\d\d)(?:[.,]\d{1,20})?)?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)


def is_uuid(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) == 36 and _UUID.fullmatch(value) is not None
    return isinstance(value, UUID)


def is_slug(value: Any) -> bool:
    # The plain pattern, (?:-[a-z0-9]+)*, takes four times as long for a megabyte.
    return isinstance(value, str) and _SLUG.fullmatch(value) is not None and "--" not in value


def is_json(value: Any) -> bool:
    """Whether it is one JSON document by RFC 8259: NaN and Infinity are not JSON."""
    if not isinstance(value, str):
        return False
    try:
        try:
            json.loads(value, parse_constant=_refuse)
        except json.JSONDecodeError:
            return False
        except ValueError:  # Python refuses whole numbers of thousands of digits; JSON does not
            json.loads(value, parse_int=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(word: str) -> None:
    raise json.JSONDecodeError("a constant of JavaScript", word, 0)


def is_iso_datetime(value: Any, *, offset: bool = False, leap_second: bool = False) -> bool:
    """Whether it is a date and time that `datetime.fromisoformat` reads, but for a leap second."""
    if not isinstance(value, str) or len(value) > 50 or not (match := _TIME.fullmatch(value)):
        return False
    date, separator, minute, second, zone = match.groups()
    if offset and (zone is None or second is None or separator == " " or "," in value):
        return False
    zone = "+00:00" if zone in {None, "Z", "z"} else zone
    is_leap = second == "60" and leap_second
    try:
        moment = datetime.fromisoformat(
            f"{date}T{minute}:{59 if is_leap else second or '00'}{zone}"
        )
        return (
            not is_leap
            or (moment - (moment.utcoffset() or moment - moment)).time().replace(microsecond=0)
            == _LAST
        )
    except (ValueError, OverflowError):
        return False


_LAST = datetime(1, 1, 1, 23, 59, 59).time()  # noqa: DTZ001 - a time of day
