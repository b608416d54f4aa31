"""Files of JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

from .._base.jsontext import parse, render
from .atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Callable


def load_json(path: str | os.PathLike[str]) -> Any:
    """Return the value of a file of JSON, in UTF-8, UTF-16 or UTF-32.

    Raises:
        InvalidJSON: It is not JSON; with file, line and column.
        OSError: It cannot be read; FileNotFoundError if there is none.

    Example:
        >>> from shared.storage import temporary_directory
        >>> with temporary_directory() as folder:
        ...     save_json({"rate": 5}, folder / "limits.json")
        ...     load_json(folder / "limits.json")
        {'rate': 5}
    """
    if not isinstance(path, (str, os.PathLike)):
        raise refuse("path", "a path", path, TypeError)
    with open(path, "rb") as file:
        return parse(file.read(), os.fspath(path))


def save_json(
    data: Any,
    path: Any,
    *,
    indent: int | None = 2,
    sort_keys: bool = False,
    default: Callable[[Any], Any] | None = None,
    fsync: bool = True,
) -> None:
    r"""Write a value as a file of JSON in UTF-8, as a whole or not at all.

    Links, mode and owner stay, as of `atomic_write`; folders that are missing are made. The two
    first arguments may stand in either order; of two strings, the one that ends in `.json` is the
    path, else the second.

    Args:
        data: The value.
        path: The file.
        indent: The spaces per level; None for one line.
        sort_keys: Whether the keys are sorted.
        default: Returns a value of JSON for one that is none.
        fsync: Whether to wait until the file would survive a power cut.

    Raises:
        TypeError: There is no JSON for a part of it, or no argument is a path.
        InvalidJSON: NaN, infinity or a circle. The old file stays.
        OSError: It cannot be written. The old file stays.

    Example:
        >>> from shared.storage import temporary_directory
        >>> with temporary_directory() as folder:
        ...     save_json({"b": 1}, folder / "a.json", indent=None)
        ...     (folder / "a.json").read_text()
        '{"b":1}\n'
    """
    if not _is_path(path) or (_is_json_name(data) and not _is_json_name(path)):
        data, path = path, data
    if not _is_path(path):
        raise refuse("path", "a path", path, TypeError)
    name = os.fspath(path)
    text = render(data, name, indent=indent, sort_keys=sort_keys, default=default)
    if folder := os.path.dirname(name):
        os.makedirs(folder, exist_ok=True)
    with atomic_write(name, fsync=fsync) as file:
        file.write(text + b"\n")


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


def _is_json_name(value: Any) -> bool:
    return _is_path(value) and os.fspath(value).endswith(".json")
