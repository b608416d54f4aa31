"""Comparisons that answer no where Python raises: NaN, other types, naive and aware times."""

from __future__ import annotations

import operator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .kinds import is_finite, is_number

if TYPE_CHECKING:
    from collections.abc import Callable

_DIGITS = 5_000  # of an exact remainder: 1e999999999 must not fill the memory


def compares(limit: Any, compare: Callable[[Any, Any], Any]) -> Callable[[Any], bool]:
    """Return a function that compares a value with a limit.

    A numeric limit is compared with numbers alone, any other limit with values of its type.
    """
    if is_number(limit):
        plain = type(limit) in {int, float}

        def test(value: Any) -> bool:
            kind = type(value)
            if plain and (kind is int or kind is float):
                return compare(value, limit)  # type: ignore[no-any-return]
            return is_number(value) and _compare(value, limit, compare)
    else:
        base = type(limit)

        def test(value: Any) -> bool:
            if not isinstance(value, base):
                return False
            try:
                return bool(compare(value, limit))
            except TypeError:  # such as a naive and an aware time
                return False

    return test


def _compare(value: Any, limit: Any, compare: Callable[[Any, Any], Any]) -> bool:
    if is_nan(value):
        return False
    try:
        return bool(compare(value, limit))
    except TypeError:  # Decimal and Fraction
        if not (is_finite(value) and is_finite(limit)):
            return bool(compare(float(value), float(limit)))
        return bool(compare(Fraction(value), Fraction(limit)))


def is_nan(value: Any) -> bool:
    """Whether a number is NaN; Decimal's signalling one raises when it is compared."""
    return value.is_nan() if isinstance(value, Decimal) else bool(value != value)  # noqa: PLR0124


def is_multiple(value: Any, base: Any) -> bool:
    """Whether a number is a whole multiple, as written in decimals: 0.3 is one of 0.1."""
    if type(value) is int and type(base) is int:
        return value % base == 0
    if not (is_number(value) and is_finite(value)):
        return False
    exact, step = _exact(value), _exact(base)
    return exact is not None and step is not None and exact % step == 0


def _exact(value: Any) -> Fraction | None:
    if isinstance(value, Decimal):
        return Fraction(value) if abs(value.adjusted()) <= _DIGITS else None
    if isinstance(value, float):
        return Fraction(repr(float(value)))
    try:
        return Fraction(value)
    except TypeError:  # a NumPy integer
        return Fraction(operator.index(value))
