"""Values by name: the environment, `.env` files, folders with one file per variable, `*_FILE`."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from .._base.errors import ConfigurationError, Problem
from .secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Layer", "dotenv_layer", "environment_layer", "folder_layer", "lookup"]

_LIMIT = 1 << 20  # bytes; a secret that is larger is a mistake (/dev/zero)


class Layer:
    """The names and values of one source, by upper-case name."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.values: dict[str, str | Path] = {}  # a path is read when it is needed

    def add(self, name: str, value: str | Path) -> None:
        """Keep a value; an exact upper-case name wins over another spelling."""
        upper = name.upper()
        if upper not in self.values or name == upper:
            self.values[upper] = value

    def text(self, name: str, *, by_file: bool = True) -> tuple[str | None, str]:
        """Return the text of a variable, and where it stands: here, or in a file named here.

        Args:
            name: The variable.
            by_file: Whether `<name>_FILE` may name a file that contains it.

        Raises:
            ConfigurationError: The file cannot be read, or both are set.
        """
        direct = self.values.get(name)
        if isinstance(direct, Path):
            return _file_text(direct, name), self.label
        file = self.values.get(f"{name}_FILE") if by_file else None
        if not file:
            return direct, self.label
        if direct:
            message = f"is set, and so is {name}_FILE; only one of them is allowed"
            raise ConfigurationError(Problem(name, message, self.label))
        path = file if isinstance(file, Path) else Path(file).expanduser()
        return _file_text(path, f"{name}_FILE"), str(file)


def lookup(name: str, env: Mapping[str, str] | None = None) -> Secret | None:
    """Find one variable of the environment, or the file that `<name>_FILE` names, as a secret.

    Raises:
        ConfigurationError: The file cannot be read, or both are set.
    """
    text, _ = environment_layer(env, []).text(name)
    return Secret(text) if text else None


def environment_layer(env: Mapping[str, str] | None, problems: list[Problem]) -> Layer:
    """Return the variables of an environment, `os.environ` if None."""
    layer = Layer("environment")
    for name, value in (os.environ if env is None else env).items():
        given: object = value
        if isinstance(given, str):
            layer.add(name, given)
        elif given is not None:
            what = f"is of type {type(given).__name__} in env; text is allowed"
            problems.append(Problem(str(name), what))
    return layer


def dotenv_layer(path: Path, problems: list[Problem]) -> Layer:
    """Return the variables of a `.env` file; without any if it does not exist."""
    layer = Layer(str(path))
    try:
        text = _text(path) if path.exists() else ""
    except ConfigurationError as error:
        problems.append(Problem(str(path), str(error)))
        return layer
    # No interpolation: a password may contain ${...}.
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            problems.append(Problem(f"{path}, line {binding.original.line}", "is not NAME=value"))
        elif binding.key is not None and binding.value is not None:
            layer.values[binding.key.upper()] = binding.value
    return layer


def folder_layer(folder: Path, problems: list[Problem]) -> Layer:
    """Return the files of a folder, one per variable.

    Kubernetes swaps the link `..data`: everything is read from behind it.
    """
    layer = Layer(str(folder))
    try:
        if not folder.exists():
            return layer
        data = folder / "..data"
        behind = data.resolve() if data.is_dir() else folder
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith("."):
                continue
            path = behind / entry.name if (behind / entry.name).exists() else entry
            if not path.is_dir() or path.is_symlink():
                layer.add(entry.name, path)
    except OSError as error:
        problems.append(Problem(str(folder), f"cannot be read: {error.strerror}"))
    return layer


def _file_text(path: Path, name: str) -> str:
    try:
        return _text(path).rstrip("\r\n")
    except ConfigurationError as error:
        message = f"{path} {error}"
    raise ConfigurationError(Problem(name, message))


def _text(path: Path) -> str:
    """Read a text file; the error contains none of it."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LIMIT + 1)
    except OSError as error:
        why = f"cannot be read: {error.strerror or type(error).__name__}"
    except ValueError:
        why = "is not a valid path"
    else:
        if len(raw) > _LIMIT:
            why = f"cannot be read: it is larger than {_LIMIT} bytes"
        else:
            try:
                return raw.decode("utf-8-sig")
            except UnicodeDecodeError:
                why = "cannot be read: it is not UTF-8 text"
    raise ConfigurationError(why)
