"""What is refused, in words that name the argument."""

from __future__ import annotations

import math
import operator
from typing import Any


def whole(name: str, value: Any, minimum: int = 1) -> int:
    """A whole number of at least `minimum`."""
    if isinstance(value, bool):
        msg = f"{name} must be a whole number, got {value!r}"
        raise TypeError(msg)
    try:
        found = operator.index(value)
    except TypeError:
        msg = f"{name} must be a whole number, got {value!r}"
        raise TypeError(msg) from None
    if found < minimum:
        msg = f"{name} must be at least {minimum}, got {found}"
        raise ValueError(msg)
    return found


def number(name: str, value: Any, minimum: float = -math.inf) -> float:
    """A finite number of at least `minimum`."""
    found = real(name, value)
    if not math.isfinite(found):
        msg = f"{name} must be finite, got {value!r}"
        raise ValueError(msg)
    if found < minimum:
        msg = f"{name} must be at least {minimum}, got {value!r}"
        raise ValueError(msg)
    return found


def real(name: str, value: Any) -> float:
    """A float of what is a real number."""
    # Text would pass float(); numpy scalars and Decimal are numbers, arrays of one value are not.
    if isinstance(value, float):
        return float(value)
    if (
        isinstance(value, str | bytes | bool)
        or not hasattr(value, "__float__")
        or hasattr(value, "__len__")
    ):
        msg = f"{name} must be a number, got {value!r}"
        raise TypeError(msg)
    try:
        return float(value)
    except TypeError:
        msg = f"{name} must be a number, got {value!r}"
        raise TypeError(msg) from None
    except OverflowError:
        msg = f"{name} must be within the range of floats, got {type(value).__name__} beyond it"
        raise ValueError(msg) from None


def finite(name: str, value: Any) -> float:
    """A value of a stream."""
    found = real(name, value)
    if not math.isfinite(found):
        msg = f"{name} must be finite, got {value!r}; the state is as it was"
        raise ValueError(msg)
    return found


def increasing(**named: int) -> None:
    """Refuse a first number that is not smaller than the second."""
    (a, first), (b, second) = named.items()
    if first >= second:
        msg = f"{a} must be smaller than {b}, got {a}={first} and {b}={second}"
        raise ValueError(msg)
