"""Argument checks with one sentence for every refusal: "NAME must be WHAT IS ALLOWED, not VALUE".

A wrong type raises TypeError, a wrong value ValueError. Arguments are checked where an object is
made, not at its first call.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection

T = TypeVar("T")

_SHOWN = 80  # characters of a value in an error


def shown(value: object, name: str = "") -> str:
    """Return a value for an error: secrets hidden, at most 80 characters, whatever its `__repr__`."""
    from .redaction import MARKER, key_verdict, one_line

    if key_verdict(name):
        return MARKER
    try:
        text = repr(value[: 20 * _SHOWN] if isinstance(value, (str, bytes)) else value)
    except Exception:  # noqa: BLE001 - the error to come must not be replaced by this one
        return f"<unprintable {type(value).__name__}>"
    short = one_line(text, _SHOWN)
    return short if not short.endswith("…") else f"{short[: _SHOWN - 4]}...{text[-1:]}"


def refuse(name: str, allowed: str, value: object, kind: type[Exception] = ValueError) -> Exception:
    """Return the error to raise for a refused argument.

    Example:
        >>> refuse("size", "one of 's', 'm'", "xl")
        ValueError("size must be one of 's', 'm', not 'xl'")
    """
    return kind(f"{name} must be {allowed}, not {shown(value, name)}")


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    finite: bool = True,
) -> float:
    """Return an int, float, Decimal, Fraction or NumPy scalar as a float; NaN is always refused.

    Args:
        name: The argument's name.
        value: The number; not a bool, text or array.
        above: What it must be greater than.
        least: The smallest allowed value.
        most: The greatest allowed value.
        finite: False allows infinity.

    Raises:
        TypeError: It is not a number.
        ValueError: It is not in the range.
    """
    allowed = "a finite number" if finite else "a number"
    found = _as_float(value)
    if found is None:
        raise refuse(name, _range(allowed, above, least, most), value, TypeError)
    if (
        math.isnan(found)
        or (finite and math.isinf(found))
        or (above is not None and found <= above)
        or (least is not None and found < least)
        or (most is not None and found > most)
    ):
        raise refuse(name, _range(allowed, above, least, most), value)
    return found


def whole(name: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """Return an int or a NumPy integer as an int; the errors are those of `number`."""
    allowed = "a whole number"
    try:
        if _is_bool(value):
            raise TypeError
        found = operator.index(value)
    except TypeError:
        kind = ValueError if isinstance(value, float) else TypeError
        raise refuse(name, _range(allowed, None, least, most), value, kind) from None
    if found < least or (most is not None and found > most):
        raise refuse(name, _range(allowed, None, least, most), value)
    return found


def seconds(name: str, value: Any, *, above: float | None = None, unlimited: bool = False) -> float:
    """Return a time, a number or a timedelta, as seconds: at least 0, or more than `above`.

    `unlimited` allows `math.inf`. The errors are those of `number`.

    Example:
        >>> from datetime import timedelta
        >>> seconds("timeout", timedelta(minutes=2)), seconds("timeout", math.inf, unlimited=True)
        (120.0, inf)
    """
    if hasattr(type(value), "total_seconds"):
        value = value.total_seconds()
    least = 0 if above is None else None
    return number(name, value, above=above, least=least, finite=not unlimited)


def text(name: str, value: str, *, empty: bool = True) -> str:
    """Return a string; a TypeError for anything else, a ValueError for "" unless it may be empty."""
    if not isinstance(value, str):
        raise refuse(name, "a string", value, TypeError)
    if not value and not empty:
        raise refuse(name, "a string that is not empty", value)
    return value


def function(name: str, value: T, *, optional: bool = False) -> T:
    """Return a callable, or None if that is allowed; a TypeError for anything else."""
    if not callable(value) and not (optional and value is None):
        raise refuse(name, "callable or None" if optional else "callable", value, TypeError)
    return value


def choice(name: str, value: T, allowed: Collection[T]) -> T:
    """Return a value that is one of `allowed`; a ValueError for any other."""
    if not any(value is one or (type(value) is type(one) and value == one) for one in allowed):
        raise refuse(name, f"one of {', '.join(map(repr, allowed))}", value)
    return value


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in {"bool_", "bool"}  # NumPy's


def _as_float(value: Any) -> float | None:
    if type(value) is float:
        return value
    if _is_bool(value) or isinstance(value, (str, bytes, bytearray)):
        return None
    if not hasattr(type(value), "__float__") or hasattr(value, "__len__"):
        return None  # an array of one value is not a number
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # beyond every float
    except (TypeError, ValueError):
        return None


def _range(what: str, above: float | None, least: float | None, most: float | None) -> str:
    if above is None and least is not None and most is not None:
        return f"{what} from {least:g} to {most:g}"
    limits = {"above": above, "of at least": least, "of at most": most}
    words = [f"{word} {limit:g}" for word, limit in limits.items() if limit is not None]
    return f"{what} {' and '.join(words)}".rstrip()
