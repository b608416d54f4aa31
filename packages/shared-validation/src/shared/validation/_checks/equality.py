"""Equality of data: True is not 1, and lists of dictionaries can be compared quickly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_DEEPEST = 200


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal as data: 1 and 1.0 are, 1 and True are not, NaN is to itself."""
    if a is b:
        return True
    if type(a) is type(b) and isinstance(a, (str, int, float, bytes)):
        return bool(a == b)
    try:
        if isinstance(a, (list, tuple, Mapping)) or isinstance(b, (list, tuple, Mapping)):
            return bool(frozen(a) == frozen(b))
        return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
    except Exception:  # noqa: BLE001 - foreign objects: what cannot be compared is not the same
        return False


def frozen(value: Any, depth: int = 0) -> Any:
    """Return something hashable that is equal for equal data.

    Raises:
        ValueError: It is nested more than 200 deep, or contains itself.
    """
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (str, int, float, bytes)) or value is None:
        return value
    if depth > _DEEPEST:
        raise ValueError(f"must not be nested more than {_DEEPEST} deep")
    if isinstance(value, (list, tuple)):
        return ("list", tuple([frozen(item, depth + 1) for item in value]))
    if isinstance(value, Mapping):
        pairs = [(frozen(k, depth + 1), frozen(v, depth + 1)) for k, v in value.items()]
        return ("dict", frozenset(pairs))
    return value


def unique(items: Iterable[Any]) -> bool:
    """Whether no two items are the same; linear as long as the items can be hashed."""
    seen: set[Any] = set()
    unhashable: list[Any] = []
    for item in items:
        key = frozen(item)
        try:
            if key in seen:
                return False
            seen.add(key)
        except TypeError:
            if any(same(item, other) for other in unhashable):
                return False
            unhashable.append(item)
    return True


def contained(item: Any, collection: Any) -> bool:
    """Whether a collection has an item, or text has a part."""
    if isinstance(collection, (str, bytes)):
        whole: Any = collection
        return isinstance(item, type(whole)) and item in whole
    return any(same(item, other) for other in collection)
