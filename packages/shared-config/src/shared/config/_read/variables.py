"""The variables of a settings class: one per field, at any depth."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, SecretBytes, SecretStr
from pydantic_settings import NoDecode

from shared.core.redaction import key_verdict

from .._secret.secrets import Secret

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["Variable", "group_of", "keys_of", "members", "types_in", "variables"]

# Glued to another word these are secret as well: `SSHPRIVATE_KEY`.
_SECRET_ENDINGS = ("API_KEY", "ACCESS_KEY", "PRIVATE_KEY")


class Variable(NamedTuple):
    """One environment variable and the field that it fills.

    Attributes:
        name: The name to show.
        names: Every accepted name, the preferred one first, in upper case.
        path: The keys that pydantic expects on the way to the field.
        attributes: The attributes on the same way.
        field: pydantic's description of the field.
        secret: Whether its value may never be shown.
        shape: How text becomes a value: unchanged, a list with commas, KEY=VALUE pairs, or JSON.
        group: The class, if the field is itself a group; only JSON fills it directly.
    """

    name: str
    names: tuple[str, ...]
    path: tuple[str, ...]
    attributes: tuple[str, ...]
    field: FieldInfo
    secret: bool
    shape: Literal["text", "list", "mapping", "json"]
    group: type[BaseModel] | None = None

    def value_in(self, settings: BaseModel) -> Any:
        """Return the field's value in an instance; None if a group on the way is missing."""
        value: Any = settings
        for name in self.attributes:
            value = getattr(value, name, None)
        return value


_known: dict[Any, tuple[Variable, ...]] = {}


def variables(cls: type[BaseModel], prefix: str | None = None) -> tuple[Variable, ...]:
    """Return the variables of a class, groups before their fields.

    Args:
        cls: A settings class or a component's configuration.
        prefix: The start of the names; the class's own `env_prefix` if None.
    """
    found = _known.get((cls, prefix))
    if found is None:
        config: Mapping[str, Any] = cls.model_config
        start: str = (config.get("env_prefix") or "") if prefix is None else prefix
        delimiter: str = config.get("env_nested_delimiter") or "_"
        found = _known[cls, prefix] = tuple(_walk(cls, start, delimiter, (), (), (cls,)))
    return found


def _walk(
    cls: type[BaseModel],
    prefix: str,
    delimiter: str,
    path: tuple[str, ...],
    attributes: tuple[str, ...],
    above: tuple[type[BaseModel], ...],
) -> list[Variable]:
    found = []
    for key, field in cls.model_fields.items():
        names, taken_by_name = _names(cls, key, field, prefix)
        here = (*path, key if taken_by_name else _alias(field) or key)
        there = (*attributes, key)
        group = group_of(field.annotation)
        if group in above:  # a tree of itself has no end
            group = None
        kinds = types_in(field.annotation)
        secret = any(issubclass(kind, (Secret, SecretStr, SecretBytes)) for kind in kinds)
        # A text field with the name of a secret contains one, no matter what its type is.
        secret = secret or (str in kinds and _is_secret(names[0]))
        shape = "text" if any(m is NoDecode for m in field.metadata) else _shape(field.annotation)
        found.append(Variable(names[0], names, here, there, field, secret, shape, group))
        if group is not None:
            inner = group.model_config.get("env_prefix")  # only a settings class may have one
            inner_prefix = f"{names[0]}{delimiter}" if not isinstance(inner, str) else inner
            found += _walk(group, inner_prefix.upper(), delimiter, here, there, (*above, group))
    return found


def _is_secret(name: str) -> bool:
    return bool(key_verdict(name)) or name.removesuffix("S").endswith(_SECRET_ENDINGS)


def _names(
    cls: type[BaseModel], key: str, field: FieldInfo, prefix: str
) -> tuple[tuple[str, ...], bool]:
    """Return the variable's names, and whether the model accepts the field by its own name."""
    alias = field.validation_alias
    by_name = bool(
        cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name")
    )
    if isinstance(alias, str):
        return (alias.upper(),), by_name
    if isinstance(alias, AliasChoices):
        choices = tuple(c.upper() for c in alias.choices if isinstance(c, str))
        if choices:
            return choices, by_name
    return (f"{prefix}{key}".upper(),), True


def _alias(field: FieldInfo) -> str | None:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return next((c for c in alias.choices if isinstance(c, str)), None)
    return alias if isinstance(alias, str) else None


def keys_of(cls: type[BaseModel], name: str, field: FieldInfo) -> tuple[str, ...]:
    """Return the keys that a model accepts for a field, the preferred one first."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    aliases = [choice for choice in choices if isinstance(choice, str)]
    _, by_name = _names(cls, name, field, "")
    return tuple(dict.fromkeys([name, *aliases] if by_name or not aliases else aliases))


def members(annotation: Any) -> list[Any]:
    """Return the alternatives of a union without None; for other annotations the annotation."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        parts = [m for arg in get_args(annotation) for m in members(arg)]
        return [m for m in parts if m is not type(None)]
    return [annotation]


def group_of(annotation: Any) -> type[BaseModel] | None:
    """Return the one model in an annotation, if it is a group of variables."""
    models = [m for m in members(annotation) if isinstance(m, type) and issubclass(m, BaseModel)]
    return models[0] if len(models) == 1 else None


def types_in(annotation: Any) -> set[type]:
    """Return every class in an annotation."""
    found = {annotation} if isinstance(annotation, type) else set()
    for arg in get_args(annotation):
        found |= types_in(arg)
    return found


def _shape(annotation: Any) -> Literal["text", "list", "mapping", "json"]:
    origins = [get_origin(m) or m for m in members(annotation)]
    plain = [o for o in origins if isinstance(o, type)]
    if not plain or any(issubclass(o, (str, bytes, Secret)) for o in plain):
        return "text"
    if any(issubclass(o, (Sequence, AbstractSet)) for o in plain):
        return "list"
    if all(issubclass(o, Mapping) and not hasattr(o, "__required_keys__") for o in plain):
        return "mapping"
    structured = [
        o
        for o in plain
        if issubclass(o, (Mapping, BaseModel))
        or hasattr(o, "__dataclass_fields__")
        or hasattr(o, "__required_keys__")
    ]
    return "json" if structured else "text"
