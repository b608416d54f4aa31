"""Dictionaries with attributes, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEEPEST = 200


class Object:  # noqa: PLW1641 - it can be changed
    """A dictionary whose keys are attributes too.

    Every key is reached by item; those that are identifiers and not names of this class by
    attribute as well.

    Example:
        >>> point = dict_to_object({"x": 1, "for": {"y-z": 2}})
        >>> point.x, point["for"]["y-z"]
        (1, 2)
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[Any, Any] | None = None) -> None:
        object.__setattr__(self, "_items", dict(items or {}))

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_items")[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r}", name=name, obj=self) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._items[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self._items[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r}", name=name, obj=self) from None

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._items[key] = value

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Object) and bool(self._items == other._items)

    def __repr__(self) -> str:
        return f"Object({self._items!r})"

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *(k for k in self._items if isinstance(k, str))})

    def __reduce__(self) -> tuple[Any, ...]:
        return Object, (self._items,)


def dict_to_object(d: Mapping[Any, Any]) -> Object:
    """Return an `Object` of a dictionary, and of those inside it, in lists and tuples too.

    Args:
        d: The dictionary; it is copied.

    Raises:
        TypeError: It is not a mapping.
        ValueError: It contains itself, or is deeper than 200.

    Example:
        >>> dict_to_object({"users": [{"name": "Ada"}]}).users[0].name
        'Ada'
    """
    if not isinstance(d, Mapping):
        raise refuse("d", "a mapping", d, TypeError)
    found: Object = _object(d, "d", 0)
    return found


def object_to_dict(o: Any) -> dict[Any, Any]:
    """Return the dictionary of an `Object`, a dataclass, a namespace or a plain object.

    Inside it, mappings and all of these but plain objects become dictionaries too: a `Path` or a
    client in a field stays what it is.

    Args:
        o: The object. Attributes of a plain one that start with an underscore are left out.

    Raises:
        TypeError: It has no attributes.
        ValueError: It contains itself, or is deeper than 200.

    Example:
        >>> source = {"a": [1, {"b": 2}], "class": None}
        >>> object_to_dict(dict_to_object(source)) == source
        True
    """
    found = _plain(o, "o", 0, outermost=True)
    if not isinstance(found, dict):
        raise refuse("o", "an object with attributes", o, TypeError)
    return found


def _object(value: Any, name: str, depth: int) -> Any:
    _bounded(name, depth)
    if isinstance(value, Mapping):
        return Object({key: _object(inner, name, depth + 1) for key, inner in value.items()})
    if type(value) in {list, tuple}:
        return _like(value, lambda inner: _object(inner, name, depth + 1))
    return value


def _plain(value: Any, name: str, depth: int, *, outermost: bool = False) -> Any:
    _bounded(name, depth)
    items: dict[Any, Any] | None = None
    if isinstance(value, Object):
        items = {key: value[key] for key in value}
    elif isinstance(value, Mapping):
        items = dict(value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif outermost or isinstance(value, SimpleNamespace):
        items = _attributes(value)
    if items is not None:
        return {key: _plain(inner, name, depth + 1) for key, inner in items.items()}
    if type(value) in {list, tuple}:
        return _like(value, lambda inner: _plain(inner, name, depth + 1))
    return value


def _attributes(value: Any) -> dict[str, Any] | None:
    if isinstance(value, type):
        return None
    cls: type = type(value)
    declared = [vars(base).get("__slots__", ()) for base in cls.__mro__]
    slots = {name for one in declared for name in ((one,) if isinstance(one, str) else one)}
    names = [*sorted(slots), *getattr(value, "__dict__", ())]
    public = [name for name in names if not name.startswith("_") and hasattr(value, name)]
    if not public and not hasattr(value, "__dict__"):
        return None
    return {name: getattr(value, name) for name in public}


def _like(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a list or a tuple, as `value` is, with every entry changed."""
    return type(value)(map(change, value))


def _bounded(name: str, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"{name} must be at most {DEEPEST} deep, and not contain itself")
