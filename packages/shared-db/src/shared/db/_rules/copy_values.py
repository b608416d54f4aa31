"""Values made ready for COPY, by the type of their column."""

from __future__ import annotations

import enum
import math
import operator
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .postgres import driver

Convert = Callable[[Any], Any]

REAL, NUMERIC = 700, 1700
BITS = {21: 16, 23: 32}
REAL_MAX = 3.4028235677973366e38  # what rounds to the largest float of 32 bits
_JSON, _JSONB, _UUID = 114, 3802, 2950


def converter(oid: int, kind: str) -> Convert | None:
    """Return what makes a value ready for a column of that type, or None.

    Args:
        oid: The type's number.
        kind: `"e"` for an enum.
    """
    if kind == "e":
        return label
    if oid in BITS:
        return _limited(BITS[oid])
    json = driver().types.json
    known: dict[int, Convert] = {
        REAL: _real,
        NUMERIC: _decimal,
        _JSON: json.Json,
        _JSONB: json.Jsonb,
        _UUID: _identity,
    }
    return known.get(oid)


def array_of(element: Convert | None) -> Convert:
    """Return what makes a sequence ready for an array's column."""

    def convert(value: Any) -> Any:
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            return value
        return [
            convert(one)
            if isinstance(one, (list, tuple))
            else one
            if one is None or element is None
            else element(one)
            for one in value
        ]

    return convert


def _limited(bits: int) -> Convert:
    limit = 1 << (bits - 1)

    def check(value: Any) -> int:
        number = operator.index(value)
        if not -limit <= number < limit:
            raise OverflowError(f"{number} is out of range for an integer of {bits} bits")
        return number

    return check


def _real(value: Any) -> float:
    number = float(value)
    if abs(number) > REAL_MAX and not math.isinf(number):
        raise OverflowError(f"{number} is out of range for type real")
    return number


def label(value: Any) -> str:
    """Return the label of an enum's value."""
    if isinstance(value, enum.Enum):
        return value.value if isinstance(value.value, str) else value.name
    return str(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return Decimal(repr(float(value))) if isinstance(value, float) else Decimal(int(value))


def _identity(value: Any) -> Any:
    return uuid.UUID(value) if isinstance(value, str) else value
