"""Limits of numbers and sizes."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse, whole

from .._checks import equality, kinds, order
from .leaf import NUMBER, Kind, Leaf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SHOWN = 20  # choices in a message
_COMPARED: dict[str, tuple[Callable[[Any, Any], Any], str, str, str]] = {
    "ge": (operator.ge, "at least", "too_small", "minimum"),
    "gt": (operator.gt, "above", "too_small", "exclusiveMinimum"),
    "le": (operator.le, "at most", "too_large", "maximum"),
    "lt": (operator.lt, "below", "too_large", "exclusiveMaximum"),
}


def compared(how: str, limit: Any, name: str = "limit") -> Leaf:
    """Return a check by a comparison: ge, gt, le or lt."""
    compare, words, code, keyword = _COMPARED[how]
    checked_limit(name, limit)
    return Leaf(
        order.compares(limit, compare),
        f"{words} {limit!s}",
        code,
        kind=_kind(limit),
        context={"limit": limit},
        json={keyword: limit} if type(limit) in {int, float} else None,
    )


def between(low: Any, high: Any) -> Leaf:
    """Return a check of a range, both ends included."""
    checked_limit("low", low)
    checked_limit("high", high)
    if type(low) is not type(high) and not (kinds.is_number(low) and kinds.is_number(high)):
        raise refuse("high", f"a {type(low).__name__} as low is", high, TypeError)
    if not order.compares(low, operator.ge)(high):
        raise refuse("high", f"at least {low}", high)
    plain = type(low) in {int, float} and type(high) in {int, float}
    at_least, at_most = order.compares(low, operator.ge), order.compares(high, operator.le)

    def test(value: Any) -> bool:
        kind = type(value)
        if plain and (kind is int or kind is float):
            return low <= value <= high  # type: ignore[no-any-return]
        return at_least(value) and at_most(value)

    return _Range(
        test,
        f"from {low!s} to {high!s}",
        "too_small",
        kind=_kind(low),
        context={"low": low, "high": high},
        json={"minimum": low, "maximum": high} if plain else None,
    )


class _Range(Leaf):
    __slots__ = ()

    def fail(self, value: Any) -> Any:
        problems = super().fail(value)
        assert self.context is not None
        if problems[0].code == "too_small" and not order.compares(
            self.context["high"], operator.le
        )(value):
            problems[0].code = "too_large"
        return problems


def multiple_of(base: Any) -> Leaf:
    """Return a check that a number is a whole multiple."""
    if not (kinds.is_number(base) and kinds.is_finite(base) and base > 0):
        kind = ValueError if kinds.is_number(base) else TypeError
        raise refuse("base", "a finite number above 0", base, kind)
    return Leaf(
        lambda value: order.is_multiple(value, base),
        f"a multiple of {base!s}",
        kind=NUMBER,
        context={"base": base},
        json={"multipleOf": base} if type(base) in {int, float} else None,
    )


def sized(how: str, limit: int, kind: Kind, unit: str, keyword: str) -> Leaf:
    """Return a check of a size: "min" or "max", in a unit."""
    limit = whole("limit", limit, least=0)
    of_kind = kind.test
    words = f"{'at least' if how == 'min' else 'at most'} {count(limit, unit)} long"
    if how == "min":

        def test(value: Any) -> bool:
            return of_kind(value) and len(value) >= limit
    else:

        def test(value: Any) -> bool:
            return of_kind(value) and len(value) <= limit

    return Leaf(
        test,
        words,
        "too_short" if how == "min" else "too_long",
        kind=kind,
        context={"limit": limit},
        json={keyword: limit} if keyword else None,
        exact=bool(kind.type),
        got=lambda value: str(len(value)),
    )


def choice(values: Sequence[Any]) -> Leaf:
    """Return a check that a value is one of some."""
    if all(type(value) is str for value in values):
        known = frozenset(values)

        def test(value: Any) -> bool:
            return isinstance(value, str) and value in known
    else:

        def test(value: Any) -> bool:
            return any(equality.same(value, one) for one in values)

    plain = all(isinstance(value, (str, int, float, type(None))) for value in values)
    return Leaf(
        test,
        _listed(values),
        "choice",
        context={"allowed": list(values)},
        json={"enum": list(values)} if plain and values else None,
    )


def _listed(values: Sequence[Any]) -> str:
    if len(values) == 1:
        return repr(values[0])
    text = ", ".join(map(repr, values[:_SHOWN]))
    return f"one of {text}" + (f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else "")


def count(number: int, unit: str) -> str:
    """Return "1 item" or "2 items"."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def checked_limit(name: str, limit: Any) -> None:
    """Refuse what nothing can be compared with."""
    if kinds.is_number(limit):
        if order.is_nan(limit):
            raise refuse(name, "a number", limit)
        return
    try:
        ordered = not isinstance(limit, (bool, str, bytes)) and limit <= limit  # noqa: PLR0124
    except TypeError:
        ordered = False
    if not ordered:
        raise refuse(name, "a number, or a date or time", limit, TypeError)


def _kind(limit: Any) -> Kind:
    if kinds.is_number(limit):
        return NUMBER
    base = type(limit)
    return Kind(f"a {base.__name__}", lambda value: isinstance(value, base), "")
