"""What kind of value it is: a bool is not a number, text is not a list."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any


def is_string(value: Any) -> bool:
    return isinstance(value, str)


def is_text(value: Any) -> bool:
    return isinstance(value, (str, bytes))


def is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def is_number(value: Any) -> bool:
    kind = type(value)
    if kind is int or kind is float:
        return True
    return isinstance(value, (Real, Decimal)) and kind is not bool


def is_integer(value: Any) -> bool:
    kind = type(value)
    return kind is int or (isinstance(value, Integral) and kind is not bool)


def is_real(value: Any) -> bool:
    """Whether it passes for the annotation `float`."""
    return isinstance(value, (float, int)) and not isinstance(value, bool)


def is_json_integer(value: Any) -> bool:
    """As JSON Schema has it: 1.0 is one."""
    return is_integer(value) or (isinstance(value, float) and value.is_integer())


def is_finite(value: Any) -> bool:
    kind = type(value)
    if kind is int:
        return True
    if kind is float:
        return math.isfinite(value)
    if not is_number(value):
        return False
    if isinstance(value, Decimal):
        return value.is_finite()
    try:
        return is_integer(value) or math.isfinite(value)
    except OverflowError:  # a fraction beyond every float
        return True


def is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def is_items(value: Any) -> bool:
    """Whether it is a collection of items: a list, tuple, set or sequence, and not text."""
    kind = type(value)
    if kind is list or kind is tuple:
        return True
    return isinstance(value, (set, frozenset, Sequence)) and not isinstance(
        value, (str, bytes, bytearray, memoryview)
    )


def is_collection(value: Any) -> bool:
    """Whether it has items or keys that can be counted."""
    return is_items(value) or isinstance(value, Mapping)


def is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)
