"""The functions that raise, by the names that services have had."""

import datetime as dt
import enum

import pytest

import shared.validation as v


class Color(enum.Enum):
    RED = "red"


UTC = dt.UTC
NOW = dt.datetime(2026, 11, 28, tzinfo=UTC)
CASES = [
    (lambda: v.validate_required(None, "name"), "name is required"),
    (lambda: v.validate_required(" \t", "name"), "name is required"),
    (lambda: v.validate_required([], "items"), "items is required"),
    (lambda: v.validate_range(11, 1, 10, "size"), "size: must be from 1 to 10, not 11"),
    (lambda: v.validate_range(value=True, low=0, high=10, field="size"), "size: must be a number, not bool"),
    (lambda: v.validate_range("5", 0, 10, "password"), "password: must be a number, not str"),
    (lambda: v.validate_range(50, 0, 10, "password"), "password: must be from 0 to 10, not [REDACTED]"),
    (lambda: v.validate_length("", 1, 3, "name"), "name: must be at least 1 character long, not 0"),
    (lambda: v.validate_length(None, 1, 3), "value: must be a string, not None"),
    (lambda: v.validate_enum("x", ["s", "m"], "size"), "size: must be one of 's', 'm', not 'x'"),
    (lambda: v.validate_enum("blue", Color, "color"), None),
    (lambda: v.validate_date_range(NOW, NOW - dt.timedelta(1)), None),
    (lambda: v.validate_date_range(NOW, NOW.replace(tzinfo=None)), "end: must have a time zone"),
    (lambda: v.validate_date_range(NOW, NOW.date()), "end: must be a datetime, as start is"),
    (lambda: v.validate_date_range("2026-01-01", NOW), "start: must be a date, not str"),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), CASES, ids=range(len(CASES)))
def test_what_is_refused(call, message):
    with pytest.raises(v.ValidationError) as caught:
        call()
    if message:
        assert str(caught.value).startswith(message)


def test_what_passes():
    v.validate_required(0, "n")
    v.validate_required(value=False, field_name="n")
    v.validate_range(5, 1, 10)
    v.validate_length("abc", 1, 3)
    v.validate_enum("red", Color)
    v.validate_enum(Color.RED, Color)
    v.validate_date_range(NOW, NOW)
    assert v.validate_email("user+tag@example.com") is True
    assert v.validate_email("user@localhost") is False
    assert v.validate_email(None) is False
    assert v.validate_url("https://example.com/a") is True
    assert v.validate_url("example.com") is False
