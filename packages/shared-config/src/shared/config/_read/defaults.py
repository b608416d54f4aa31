"""Groups whose default is an instance, when only some of their fields are given."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from .variables import group_of, keys_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

__all__ = ["complete", "restore"]

Kept = list[tuple[tuple[str, ...], Any]]


def complete(
    cls: type[BaseModel], given: Mapping[str, Any], owner: BaseModel | None = None
) -> tuple[dict[str, Any], Kept]:
    """Add what a default instance has to a group that is given in part: one variable changes one field.

    Args:
        cls: The class that will be created.
        given: Its fields.
        owner: The default instance that `given` changes.

    Returns:
        The fields, and for `restore` the values that validation must not change: they were
        validated when the default instance was made.
    """
    data, kept = dict(given), []
    for name, field in cls.model_fields.items():
        group = group_of(field.annotation)
        key = next((key for key in keys_of(cls, name, field) if key in data), None)
        if group is None or key is None or not isinstance(data[key], dict):
            continue
        default = _default_of(field, group) if owner is None else getattr(owner, name, None)
        if not isinstance(default, BaseModel):
            default = None
        data[key], inner = complete(group if default is None else type(default), data[key], default)
        kept += [((name, *path), value) for path, value in inner]
    if owner is not None:
        for name in owner.model_fields_set & cls.model_fields.keys():
            keys = keys_of(cls, name, cls.model_fields[name])
            if data.keys().isdisjoint(keys):
                data[keys[0]] = value = getattr(owner, name)
                kept.append(((name,), value))
    return data, kept


def restore(made: BaseModel, kept: Kept) -> None:
    """Put back what a second validation may have changed."""
    for path, value in kept:
        owner: Any = made
        for name in path[:-1]:
            owner = getattr(owner, name, None)
        if isinstance(owner, BaseModel):
            vars(owner)[path[-1]] = value


def _default_of(field: FieldInfo, group: type[BaseModel]) -> Any:
    factory: Any = field.default_factory
    if factory is None or factory is group:
        return field.default
    try:
        if inspect.signature(factory).parameters:  # it wants the fields before it
            return None
    except (TypeError, ValueError):
        return None
    return factory()
