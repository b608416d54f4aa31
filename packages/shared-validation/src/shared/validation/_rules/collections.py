"""Lists and other collections."""

from __future__ import annotations

from typing import Any, Final

from .._checks import equality, kinds
from .._nodes import limits
from .._nodes.group import Anything
from .._nodes.items import DICT, Each, Keys
from .._nodes.leaf import COUNTED, ITEMS, Leaf
from .._spec.validator import Constraint, Rule, Validator


def min_items(limit: int) -> Validator:
    """Return a check that a collection has at least `limit` items; text has no items.

    Args:
        limit: A whole number from 0.

    Returns:
        A validator; "too_short" is its code.

    Raises:
        TypeError: `limit` is not a whole number.
        ValueError: It is below 0.

    Example:
        >>> min_items(2)([1, 2]), min_items(2)("ab")
        (True, False)
    """
    return Constraint(
        limits.sized("min", limit, COUNTED, "item", ""), lambda known: [known.MinLen(limit)]
    )


def max_items(limit: int) -> Validator:
    """Return a check that a collection has at most `limit` items; the rest is as for `min_items`.

    Args:
        limit: A whole number from 0.

    Returns:
        A validator; "too_long" is its code.

    Raises:
        TypeError: `limit` is not a whole number.
        ValueError: It is below 0.

    Example:
        >>> max_items(2).validate([1, 2, 3]).errors[0].message
        'must be at most 2 items long, not 3'
    """
    return Constraint(
        limits.sized("max", limit, COUNTED, "item", ""), lambda known: [known.MaxLen(limit)]
    )


def contains(item: Any) -> Validator:
    """Return a check that a collection has an item, a dictionary a key, or text a part.

    Args:
        item: The item. 1 and 1.0 are the same, 1 and True are not.

    Returns:
        A validator.

    Example:
        >>> contains("b")(["a", "b"]), contains(1)([True]), contains("@")("a@b")
        (True, False, True)
    """

    def test(value: Any) -> bool:
        if not (kinds.is_collection(value) or kinds.is_text(value)):
            return False
        try:
            return equality.contained(item, value)
        except (TypeError, ValueError):
            return False

    return Rule(Leaf(test, f"a collection that contains {item!r}", context={"item": item}))


def _unique(value: Any) -> bool:
    try:
        return ITEMS.test(value) and equality.unique(value)
    except ValueError:  # nested too deeply, or in itself
        return False


unique_items: Final[Validator] = Rule(
    Leaf(
        _unique,
        "a list without repeated items",
        "not_unique",
        kind=ITEMS,
        json={"uniqueItems": True},
    )
)
"""Whether no item of a list is repeated: 1 and 1.0 are the same, 1 and True are not."""


def each(spec: Any) -> Validator:
    """Return a check of every item of a list, tuple, set or other sequence; text has no items.

    Args:
        spec: A validator, function, type or schema.

    Returns:
        A validator. Errors have paths like `[3].price`; at most 1,000 are reported.

    Example:
        >>> from shared.validation import is_positive
        >>> result = each({"price": is_positive}).validate([{"price": 1}, {"price": -1}])
        >>> str(result.errors[0])
        '[1].price: must be above 0, not -1'
    """
    return Rule(Each(spec))


def keys(key: Any, value: Any = None) -> Validator:
    """Return a check of a dictionary whose keys are not known beforehand.

    Args:
        key: What every key must be: a validator, function, type or schema.
        value: What every value must be. None: anything.

    Returns:
        A validator.

    Example:
        >>> keys(str, int)({"a": 1}), keys(str, int)({"a": "x"})
        (True, False)
    """
    return Rule(Keys(key, Anything() if value is None else value, DICT))
