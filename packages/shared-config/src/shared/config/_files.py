"""Values out of files: ``.env`` files, folders with one file a variable, single secrets."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream

from ._errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Layer", "dotenv_layer", "folder_layer", "read_file"]

_LIMIT = 1 << 20  # bytes; a secret that is larger is a mistake (/dev/zero)


class Layer:
    """The names and values of one source, by upper-case name."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.values: dict[str, str | Path] = {}  # a path is read when it is asked for

    def add(self, name: str, value: str | Path) -> None:
        """Keep a value; an exact upper-case name wins over another spelling."""
        upper = name.upper()
        if upper not in self.values or name == upper:
            self.values[upper] = value


def dotenv_layer(path: Path, problems: list[Problem]) -> Layer:
    layer = Layer(str(path))
    try:
        text = _text(path) if path.exists() else ""
    except ConfigurationError as error:
        problems.append(Problem(str(path), str(error)))
        return layer
    # No interpolation: a password may hold ${...}.
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            problems.append(Problem(f"{path}, line {binding.original.line}", "is not NAME=value"))
        elif binding.key is not None and binding.value is not None:
            layer.values[binding.key.upper()] = binding.value
    return layer


def folder_layer(folder: Path, problems: list[Problem]) -> Layer:
    """One file a variable. Kubernetes swaps the link ``..data``: all is read from behind it."""
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


def read_file(path: Path, name: str) -> str:
    try:
        return _text(path).rstrip("\r\n")
    except ConfigurationError as error:
        message = f"{path} {error}"
    raise ConfigurationError(Problem(name, message))


def _text(path: Path) -> str:
    """Read a text file; the error carries no content."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LIMIT + 1)
    except OSError as error:
        why = f"cannot be read: {error.strerror or type(error).__name__}"
    except ValueError:
        why = "is no valid path"
    else:
        if len(raw) > _LIMIT:
            why = f"cannot be read: it is larger than {_LIMIT} bytes"
        else:
            try:
                return raw.decode("utf-8-sig")
            except UnicodeDecodeError:
                why = "cannot be read: it is not UTF-8 text"
    raise ConfigurationError(why)
