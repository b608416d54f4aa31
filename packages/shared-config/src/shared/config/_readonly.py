"""What the groups and the settings have in common: they are read, never written, never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import BaseModel, ValidationError

from ._errors import ConfigurationError, Problem
from ._messages import problems_of
from ._secrets import MASK
from ._sources import guard
from ._variables import variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Self

    from ._secrets import Secret

__all__ = ["ReadOnly", "checked"]


class ReadOnly(BaseModel):
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
            f"or take a copy with .model_copy(update={{{name!r}: ...}})"
        )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        hidden = {v.path[0] for v in variables(type(self)) if v.secret and len(v.path) == 1}
        for name, value in super().__repr_args__():
            yield name, MASK if name in hidden and isinstance(value, str) else value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed; they are validated.

        Args:
            update: The fields to change.
            deep: Whether to copy what the fields hold, too.

        Returns:
            The copy.

        Raises:
            ConfigurationError: If a changed field is not valid.
        """
        copy = super().model_copy(deep=deep)
        if update:
            copy = checked(type(self), self._changed(update), copy)
        return copy

    def _changed(self, update: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {**given, **update}


def checked(cls: type[Any], data: Mapping[str, Any], like: BaseModel | None = None) -> Any:
    """Make an instance from values alone, without any source.

    Args:
        cls: The class.
        data: Its fields.
        like: An instance whose private attributes the new one takes over.

    Returns:
        The instance.

    Raises:
        ConfigurationError: If a value is not valid.
    """
    made = cls.__new__(cls)
    problems = fill(made, guard(cls, dict(data)), {}, ())
    del data
    if problems:
        raise ConfigurationError(problems)
    for name, value in ((like and like.__pydantic_private__) or {}).items():
        made.__pydantic_private__.setdefault(name, value)
    return made


def fill(
    made: BaseModel, data: dict[str, Any], sources: Mapping[str, str], secrets: Iterable[Secret]
) -> list[Problem]:
    """Validate into an instance. Problems are returned: an exception would keep the input alive."""
    try:
        BaseModel.__init__(made, **data)
    except ValidationError as error:
        return problems_of(error, type(made), sources, secrets)
    return []
