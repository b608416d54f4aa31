"""Checks that raise, or answer yes or no, by the names that services have had."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from enum import EnumMeta
from typing import Any

from .._base.errors import ValidationError
from .._nodes.limits import choice
from .._rules.network import is_email, is_url
from .._rules.numbers import value_between
from .._rules.strings import length_between
from .validate import validate


def validate_required(value: Any, field_name: str) -> None:
    """Refuse None, text of nothing but white space, and empty collections.

    Args:
        value: Any value; 0 and False are values.
        field_name: The name in the error.

    Raises:
        ValidationError: It is empty.

    Example:
        >>> try:
        ...     validate_required("  ", "name")
        ... except ValidationError as error:
        ...     print(error)
        name is required
    """
    empty = not value.strip() if isinstance(value, (str, bytes)) else False
    if isinstance(value, Collection) and not isinstance(value, (str, bytes)):
        empty = len(value) == 0
    if value is None or empty:
        error = ValidationError(f"{field_name} is required", code="missing")
        error.path = ""
        raise error


def validate_email(email: Any) -> bool:
    """Return whether a value is an e-mail address; as `is_email`.

    Args:
        email: Any value.

    Returns:
        Whether it is.

    Raises:
        MissingExtra: `email-validator` is not installed.

    Example:
        >>> validate_email("ada@example.org"), validate_email("ada@")
        (True, False)
    """
    return is_email(email)


def validate_url(url: Any) -> bool:
    """Return whether a value is an http or https URL; as `is_url`.

    Args:
        url: Any value.

    Returns:
        Whether it is.

    Example:
        >>> validate_url("https://example.org"), validate_url("https//example.org")
        (True, False)
    """
    return is_url(url)


def validate_range(value: Any, low: Any, high: Any, field: str = "value") -> None:
    """Refuse a number, date or time that is not in a range, both ends included.

    Args:
        value: Any value.
        low: The least.
        high: The greatest.
        field: The name in the error.

    Raises:
        ValidationError: It is not in the range.

    Example:
        >>> validate_range(5, 1, 10, "size")
    """
    validate(value, value_between(low, high), name=field).raise_for_errors()


def validate_length(value: Any, low: int, high: int, field: str = "value") -> None:
    """Refuse text that has fewer than `low` or more than `high` characters.

    Args:
        value: Any value.
        low: The fewest characters.
        high: The most.
        field: The name in the error.

    Raises:
        ValidationError: It is not text, or not so long.

    Example:
        >>> validate_length("abc", 1, 10, "name")
    """
    validate(value, length_between(low, high), name=field).raise_for_errors()


def validate_enum(value: Any, allowed: Any, field: str = "value") -> None:
    """Refuse what is not one of some values.

    Args:
        value: Any value. For an Enum class, a member or the value of one.
        allowed: The values, or an Enum class.
        field: The name in the error.

    Raises:
        ValidationError: It is not one of them.

    Example:
        >>> validate_enum("s", ["s", "m"], "size")
    """
    values = list(allowed)
    if isinstance(allowed, EnumMeta):
        values += [member.value for member in allowed]  # type: ignore[var-annotated]
    validate(value, choice(values), name=field).raise_for_errors()


def validate_date_range(start: date, end: date) -> None:
    """Refuse a range of dates or times that ends before it starts.

    Args:
        start: A date, or a datetime.
        end: The same kind, with a time zone if `start` has one.

    Raises:
        ValidationError: It ends first, or they cannot be compared.

    Example:
        >>> from datetime import date
        >>> validate_date_range(date(2026, 1, 1), date(2026, 1, 31))
    """
    for name, value in (("start", start), ("end", end)):
        validate(value, date, name=name).raise_for_errors()
    if isinstance(start, datetime) != isinstance(end, datetime):
        what = "a datetime" if isinstance(start, datetime) else "a date without a time"
        raise ValidationError("end", f"must be {what}, as start is", "type", type(end).__name__)
    try:
        ordered = start <= end
    except TypeError:
        message = "must have a time zone if start has one, and none otherwise"
        raise ValidationError("end", message, "type", type(end).__name__) from None
    if not ordered:
        context = {"limit": start}
        message = f"must not be before start, {start.isoformat()}, not {end.isoformat()}"
        raise ValidationError("end", message, "too_small", type(end).__name__, context=context)
