"""What groups and settings have in common: they are read-only and hide their secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    PlainValidator,
    ValidationError,
    WrapValidator,
)

from shared.core.redaction import MARKER

from .._base.errors import ConfigurationError, Problem
from .._secret.secrets import safe, without_text
from .defaults import complete, restore
from .sources import Reading, guard
from .variables import variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

__all__ = ["ReadOnly", "checked"]


class _Checking(ModelMetaclass):
    """Makes `Config(...)` raise our error.

    A class's own `__init__` could do it too, but pydantic would call that for a group inside
    another class as well, and its errors would no longer come all at once.
    """

    if not TYPE_CHECKING:

        def __call__(cls, *args, **values):  # noqa: ANN002, ANN003, ANN204, N805 - a metaclass, unseen by type checkers
            values = guard(cls, values)
            try:
                return super().__call__(*args, **values)
            except ValidationError as error:
                from .messages import problems_of

                problems = problems_of(error, cls, {}, ())
            del values
            raise ConfigurationError(problems)


class ReadOnly(BaseModel, metaclass=_Checking):
    """Refuses writes without repeating the value, copies with validation, hides secrets."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
            return
        self._refuse(name)

    def __delattr__(self, name: str) -> None:
        self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        raise AttributeError(
            f"{type(self).__name__}.{name} is read-only: set the variable and load again, "
            f"or make a copy with .model_copy(update={{{name!r}: ...}})"
        )

    def __hash__(self) -> int:
        # pydantic's own fails for a list or a mapping in a field.
        values = _hashable(self.__dict__)  # loads lazy settings, whose class is another one before
        return hash((type(self), values))

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        state["__dict__"] = {n: without_text(value) for n, value in state["__dict__"].items()}
        return state

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        hidden = {v.path[0] for v in variables(type(self)) if v.secret and len(v.path) == 1}
        for name, value in super().__repr_args__():
            # Text, and pydantic's own URL types, which show their passwords.
            plain = isinstance(value, str) or hasattr(value, "unicode_string")
            text = str(value) if plain else ""
            visible = MARKER if text and name in hidden else safe(text)
            yield name, value if visible == text else visible

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed; they are validated.

        Args:
            update: The fields to change.
            deep: Whether to copy the values of the fields, too.

        Returns:
            The copy.

        Raises:
            ConfigurationError: A changed field is not valid.
        """
        copy = super().model_copy(deep=deep)
        if not update:
            return copy
        data = self._changed(update)
        changed: Self = checked(type(self), data, copy)
        if type(self)._changed is ReadOnly._changed:  # noqa: SLF001 - else fields follow others
            # What does not change is not validated a second time.
            for name in _validated_fields(type(self)) & data.keys() - update.keys():
                vars(changed)[name] = data[name]
        given = {name for name in data if name in update or name in self.model_fields_set}
        object.__setattr__(changed, "__pydantic_fields_set__", given)
        return changed

    def _changed(self, update: Mapping[str, Any]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields} | dict(update)


def _validated_fields(cls: type[BaseModel]) -> set[str]:
    """Return the fields with a function of the user that validates them alone."""
    functions = (AfterValidator, BeforeValidator, PlainValidator, WrapValidator)
    found = {
        name
        for name, field in cls.model_fields.items()
        if any(isinstance(mark, functions) for mark in field.metadata)
    }
    for decorator in cls.__pydantic_decorators__.field_validators.values():
        fields = decorator.info.fields
        found |= cls.model_fields.keys() if "*" in fields else set(fields)
    return found


def _hashable(value: Any) -> Any:
    """Return something hashable that is equal for equal values."""
    if isinstance(value, dict):
        return frozenset((key, _hashable(inner)) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_hashable, value))
    if isinstance(value, (set, frozenset)):
        return frozenset(value)
    try:
        hash(value)
    except TypeError:
        return _hashable(value.__dict__) if isinstance(value, BaseModel) else type(value)
    return value


def checked(cls: type[Any], data: Mapping[str, Any], like: BaseModel) -> Any:
    """Create an instance from values alone, without any source.

    Args:
        cls: The class.
        data: Its fields.
        like: An instance whose private attributes the new one shares.

    Returns:
        The instance.

    Raises:
        ConfigurationError: A value is not valid.
    """
    made: BaseModel = object.__new__(cls)
    reading = Reading()
    reading.data = guard(cls, dict(data))
    del data
    problems = fill(made, reading)
    if problems:
        raise ConfigurationError(problems)
    origin = (like.__pydantic_private__ or {}).get("_origin")
    if origin is not None and made.__pydantic_private__ is not None:
        made.__pydantic_private__["_origin"] = origin
    return made


def fill(made: BaseModel, reading: Reading, prefix: str | None = None) -> list[Problem]:
    """Validate into an instance. Problems are returned: an exception would keep the input alive."""
    data, kept = complete(type(made), reading.data)
    try:
        BaseModel.__init__(made, **data)
    except ValidationError as error:
        from .messages import problems_of

        return problems_of(error, type(made), reading.sources, reading.secrets, prefix)
    restore(made, kept)
    return []
