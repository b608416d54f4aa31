"""Numbers: int, float, Decimal, Fraction and NumPy scalars. NaN is in no range; a bool is not a number."""

from __future__ import annotations

from typing import Any, Final

from .._checks import kinds
from .._nodes import limits
from .._nodes.leaf import NUMBER, Leaf, of_type
from .._spec.validator import Constraint, Rule, Validator


def _compared(how: str, limit: Any) -> Constraint:
    return Constraint(
        limits.compared(how, limit), lambda known: [getattr(known, how.capitalize())(limit)]
    )


is_positive: Final[Validator] = _compared("gt", 0)
"""Whether a number is above 0."""
is_negative: Final[Validator] = _compared("lt", 0)
"""Whether a number is below 0."""
is_non_negative: Final[Validator] = _compared("ge", 0)
"""Whether a number is at least 0."""
is_integer: Final[Validator] = Rule(
    of_type(kinds.is_integer, "an integer", {"type": "integer"}, int, exact=False)
)
"""Whether a value is a whole number, not 1.0 and not True."""
is_finite: Final[Validator] = Rule(Leaf(kinds.is_finite, "a finite number", kind=NUMBER, json={}))
"""Whether a number is neither infinite nor NaN."""


def min_value(limit: Any) -> Validator:
    """Return a check that a value is at least `limit`.

    Args:
        limit: A number; or a date, a time or anything else with an order, which is compared with
            values of its type alone.

    Returns:
        A validator; "too_small" is its code.

    Raises:
        TypeError: Nothing can be compared with `limit`.
        ValueError: It is NaN.

    Example:
        >>> min_value(18)(18), min_value(18)(float("nan")), min_value(0)(True)
        (True, False, False)
    """
    return _compared("ge", limit)


def max_value(limit: Any) -> Validator:
    """Return a check that a value is at most `limit`; the rest is as for `min_value`.

    Args:
        limit: A number, date or time.

    Returns:
        A validator; "too_large" is its code.

    Raises:
        TypeError: Nothing can be compared with `limit`.
        ValueError: It is NaN.

    Example:
        >>> max_value(120).validate(130).errors[0].message
        'must be at most 120'
    """
    return _compared("le", limit)


def value_between(low: Any, high: Any) -> Validator:
    """Return a check that a value is in a range, both ends included.

    Args:
        low: A number, date or time.
        high: The same, not below `low`.

    Returns:
        A validator; "too_small" and "too_large" are its codes.

    Raises:
        TypeError: They cannot be compared.
        ValueError: One is NaN, or `high` is below `low`.

    Example:
        >>> value_between(1, 5)(5), value_between(1, 5)("3")
        (True, False)
    """
    return Constraint(limits.between(low, high), lambda known: [known.Ge(low), known.Le(high)])


def multiple_of(base: Any) -> Validator:
    """Return a check that a number is a whole multiple of `base`, as written in decimals.

    Args:
        base: A finite number above 0.

    Returns:
        A validator.

    Raises:
        TypeError: `base` is not a number.
        ValueError: It is not finite and above 0.

    Example:
        >>> multiple_of(0.01)(19.99), multiple_of(5)(12)
        (True, False)
    """
    return Constraint(limits.multiple_of(base), lambda known: [known.MultipleOf(base)])
