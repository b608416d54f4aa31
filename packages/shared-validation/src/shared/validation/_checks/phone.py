"""Telephone numbers, by the `phonenumbers` library: the numbering plans of all countries."""

from __future__ import annotations

from functools import cache
from typing import Any

from .._base.errors import MissingExtra


def is_phone(value: Any, *, region: str | None = None) -> bool:
    library = _library()
    if not isinstance(value, str) or len(value) > 50:
        return False
    try:
        number = library.parse(value, region)
    except library.NumberParseException:
        return False
    return bool(library.is_valid_number(number))


@cache
def _library() -> Any:
    try:
        import phonenumbers
    except ImportError:
        raise MissingExtra("is_phone", "phonenumbers", "phone") from None
    return phonenumbers
