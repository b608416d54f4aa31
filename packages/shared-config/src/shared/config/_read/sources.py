"""Where values come from: environment, `.env` files, secrets directories and `*_FILE`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from .._base.errors import ConfigurationError, Problem
from .._secret.files import dotenv_layer, environment_layer, folder_layer
from .._secret.secrets import HiddenText, Secret
from .messages import clean
from .texts import parse
from .variables import Variable, types_in, variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._secret.files import Layer

__all__ = ["Origin", "Paths", "Reading", "guard"]

Paths: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None"

_ENCRYPTED = "enc:v1:"


class Reading:
    """The values of one class, from all sources.

    Attributes:
        data: Nested values in the form that pydantic accepts.
        sources: The source of every variable that was set.
        seen: Every name in any source, with its source.
        problems: What could not be read.
        secrets: Every secret text, to keep it out of messages.
    """

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.seen: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.secrets: list[Secret] = []


class Origin:
    """The sources of one load, in their order of precedence.

    Args:
        env: The environment; if None, `os.environ` at reading time.
        dotenv: One or several `.env` files; later ones win.
        secrets_dir: One or several folders with one file per variable; later ones win.
        prefix: The start of the variables' names, instead of the class's own.
    """

    # `sources` and `seen` are filled in by a load: the source of every variable that was set, and
    # of every name in any source.
    __slots__ = ("arguments", "dotenv", "env", "prefix", "secrets_dir", "seen", "sources")

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        dotenv: Paths = None,
        secrets_dir: Paths = None,
        prefix: str | None = None,
    ) -> None:
        self.env: Mapping[str, Any] | None = env
        self.dotenv: tuple[Path, ...] = _paths(dotenv)
        self.secrets_dir: tuple[Path, ...] = _paths(secrets_dir)
        self.prefix: str | None = prefix
        self.arguments: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.seen: dict[str, str] = {}

    def __eq__(self, other: object) -> bool:
        # Equal settings are equal, no matter where they came from.
        return isinstance(other, Origin)

    def __hash__(self) -> int:
        return hash(Origin)

    def __reduce__(self) -> tuple[Any, ...]:
        # A pickle of settings must not contain the environment.
        return Origin, ({}, self.dotenv, self.secrets_dir, self.prefix)

    def __deepcopy__(self, memo: dict[int, Any]) -> Origin:
        return self

    def read(self, cls: type[BaseModel]) -> Reading:
        """Read every variable of a class; problems are collected, not raised.

        Returns:
            The reading.
        """
        reading = Reading()
        layers = self.layers(reading)
        everything = variables(cls, self.prefix)
        own_names = {name for variable in everything for name in variable.names}
        for variable in everything:
            finder = _Finder(variable, layers, own_names, reading)
            if variable.group and variable.field.is_required() and len(variable.path) == 1:
                # Empty, so that its own fields report what is missing.
                _put(reading.data, variable.path, {})
            try:
                found = finder.find()
                if found is not None:
                    value = finder.convert(found)
                    if variable.group is not None and isinstance(value, dict):
                        value = {**_get(reading.data, variable.path), **value}
                    _put(reading.data, variable.path, value)
            except ConfigurationError as error:
                reading.problems += error.problems
            except ImportError as error:  # an encrypted value, and no cryptography
                reading.problems.append(Problem(variable.name, str(error), finder.label))
        self.sources, self.seen = reading.sources, reading.seen
        return reading

    def lookup(self, name: str) -> Secret | None:
        """Find one variable that belongs to no class, as a secret.

        Raises:
            ConfigurationError: It cannot be read.
        """
        reading = Reading()
        found = _Finder(_secret_variable(name), self.layers(reading), {name}, reading).find()
        return None if found is None else Secret(found)

    def layers(self, reading: Reading) -> list[Layer]:
        """Open every source, the one that wins first."""
        environment = environment_layer(self.env, reading.problems)
        dotenvs = [dotenv_layer(path, reading.problems) for path in reversed(self.dotenv)]
        folders = [folder_layer(path, reading.problems) for path in reversed(self.secrets_dir)]
        layers = [environment, *dotenvs, *folders]
        for layer in reversed(layers):
            reading.seen.update(dict.fromkeys(layer.values, layer.label))
        return layers


class _Finder:
    """Finds one variable in the layers."""

    def __init__(
        self, variable: Variable, layers: list[Layer], own_names: set[str], reading: Reading
    ) -> None:
        self.variable, self.layers = variable, layers
        self.own_names, self.reading = own_names, reading
        self.label = ""

    def find(self) -> str | None:
        """Return the text from the first source that contains it; empty counts as unset."""
        for layer in self.layers:
            for name in self.variable.names:
                self.label = layer.label
                by_file = self.variable.secret and f"{name}_FILE" not in self.own_names
                text, self.label = layer.text(name, by_file=by_file)
                if not text or (self.variable.group and not text.lstrip().startswith("{")):
                    continue
                if name != self.variable.names[0]:
                    if self._is_foreign(text):
                        continue
                    self.label = f"{name} in {self.label}"
                self.reading.sources[self.variable.name] = self.label
                if self.variable.secret:
                    self.reading.secrets.append(Secret(text))
                return self._decrypted(text) if _is_encrypted(text) else text
        return None

    def _is_foreign(self, text: str) -> bool:
        """Whether it is the URL of another kind of store, in a name that platforms set."""
        kinds = [
            kind for kind in types_in(self.variable.field.annotation) if hasattr(kind, "schemes")
        ]
        scheme = text.partition("://")[0].lower().partition("+")[0]
        return bool(kinds) and "://" in text and all(scheme not in kind.schemes for kind in kinds)

    def _decrypted(self, text: str) -> str:
        from .._secret.crypto import KEYRING, Keyring, decrypt_config_value

        keys = _Finder(_secret_variable(KEYRING), self.layers, {KEYRING}, self.reading).find()
        if keys is None:
            raise self._error(
                "is encrypted, and there is no key in CONFIG_KEYRING or CONFIG_KEYRING_FILE"
            )
        plain = decrypt_config_value(text, Keyring.parse(keys), name=self.variable.name)
        self.reading.secrets.append(Secret(plain))
        return plain

    def convert(self, text: str) -> Any:
        """Turn text into what pydantic accepts for the field."""
        return _hidden(self.variable, self._parsed(text))

    def _parsed(self, text: str) -> Any:
        try:
            return parse(self.variable, text)
        except ValueError as error:
            problem = str(error)
        value = "the value" if self.variable.secret else clean(text)
        raise self._error(f"{value} {problem}")

    def _error(self, message: str) -> ConfigurationError:
        return ConfigurationError(Problem(self.variable.name, message, self.label))


def _is_encrypted(text: str) -> bool:
    """Whether a key id and a text follow the prefix; otherwise it is a plain text."""
    return text.startswith(_ENCRYPTED) and bool(re.match(r"[A-Za-z0-9_-]{1,64}:.", text[7:]))


def _secret_variable(name: str) -> Variable:
    return Variable(name, (name,), (), (), FieldInfo(), secret=True, shape="text")


def guard(
    cls: type[BaseModel], arguments: dict[str, Any], prefix: str | None = None
) -> dict[str, Any]:
    """Wrap the secrets among constructor arguments, before anything can show them.

    Returns:
        A copy of the arguments.
    """
    arguments = _copied(arguments)
    for variable in variables(cls, prefix):
        *parents, last = variable.path
        inner: Any = arguments
        for key in parents:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if variable.group is None and isinstance(inner, dict) and last in inner:
            inner[last] = _hidden(variable, inner[last])
    return arguments


def _copied(value: Any) -> Any:
    return {k: _copied(v) for k, v in value.items()} if isinstance(value, dict) else value


def _hidden(variable: Variable, value: Any) -> Any:
    """Hide what is secret in a value, from pydantic's messages and from its debug log."""
    if isinstance(value, dict):
        return {name: _hidden(variable, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(variable, inner) for inner in value]
    if not isinstance(value, str):
        return value
    if not variable.secret:
        return HiddenText(value) if "://" in value and "@" in value else value
    if variable.shape == "text":
        kinds = types_in(variable.field.annotation)
        if any(issubclass(kind, Secret) for kind in kinds):
            return Secret(value)
        if SecretStr in kinds:
            return SecretStr(value)
    return HiddenText(value)


def _paths(value: Paths) -> tuple[Path, ...]:
    if value is None:
        return ()
    if isinstance(value, (str, os.PathLike)):
        value = (value,)
    return tuple(Path(one).expanduser() for one in value)


def _put(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        data = data.setdefault(key, {})
    data[path[-1]] = value


def _get(data: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for key in path:
        data = data.get(key, {})
    return data
