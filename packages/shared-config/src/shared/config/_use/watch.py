"""Reload settings when their file changes; wrong values never replace right ones."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from shared.core import checks
from shared.core.callables import kind_of
from shared.core.forks import after_fork

from .._base.errors import ConfigurationError
from .._base.poll import Poller
from .._read.sources import Origin
from .._settings.settings import Settings, become, settings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

__all__ = ["ConfigChange", "Watcher", "on_config_change", "watch"]


class ConfigChange(NamedTuple):
    """The changes of a reload.

    Attributes:
        old: The settings before.
        new: The settings now.
        changed: The paths of the fields that differ, such as `logging.level`.
    """

    old: Settings
    new: Settings
    changed: tuple[str, ...]


_callbacks: list[Callable[[ConfigChange], object]] = []
_lock = threading.RLock()


@after_fork
def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.RLock()


def on_config_change(callback: Callable[[ConfigChange], object]) -> Callable[[], None]:
    """Call a function after every reload that changed something.

    It runs in the watching thread, after the settings have their new values. An exception in it is
    logged and affects neither the settings nor other callbacks.

    Args:
        callback: Called with one `ConfigChange`.

    Returns:
        A function that removes the callback.

    Raises:
        TypeError: It is not callable, or async: there is no event loop in that thread.

    Example:
        >>> remove = on_config_change(lambda change: print(change.changed))
        >>> remove()
    """
    checks.function("callback", callback)
    if kind_of(callback) != "sync":
        raise checks.refuse("callback", "a plain function", callback, TypeError)
    entry = [callback]  # the same function may be added twice and removed once

    def call(change: ConfigChange) -> object:
        return entry[0](change)

    _callbacks.append(call)

    def remove() -> None:
        if call in _callbacks:
            _callbacks.remove(call)

    return remove


class Watcher(Poller):
    """Watches one path for one settings object; a context manager.

    Attributes:
        error: The `ConfigurationError` of the last reload, or None if it succeeded.
    """

    def __init__(self, path: Path, target: Settings, interval: float) -> None:
        super().__init__(path, self._try_reload, interval)
        self.target = target
        self.error: ConfigurationError | None = None

    def reload(self) -> ConfigChange | None:
        """Load again now.

        Returns:
            The change, or None if nothing changed.

        Raises:
            ConfigurationError: The new values are wrong; the settings stay as they were.
        """
        with _lock:
            origin = _origin_of(self.target)
            folder = self.path.is_dir()
            fresh = Origin(
                origin.env,
                origin.dotenv if folder else self.path,
                self.path if folder else origin.secrets_dir,
            )
            arguments = origin.arguments
            new = type(self.target)(_origin=fresh, **arguments)
            changed = tuple(_differences(self.target, new))
            self.error = None
            old = self.target.model_copy()
            become(self.target, new)
            if not changed:
                return None
            change = ConfigChange(old, self.target, changed)
            for callback in tuple(_callbacks):
                try:
                    callback(change)
                except Exception:
                    logging.getLogger("shared.config").exception("a callback of a reload failed")
            return change

    def _try_reload(self) -> None:
        try:
            self.reload()
        except ConfigurationError as error:
            self.error = error
            logging.getLogger("shared.config").error(  # noqa: TRY400 - what is wrong, not where in our code
                "%s was not loaded, the settings stay as they were: %s", self.path, error
            )


def watch(
    path: str | os.PathLike[str], target: Settings = settings, *, interval: float = 1.0
) -> Watcher:
    """Reload settings from a `.env` file or a secrets folder whenever its content changes.

    The path replaces the settings' own `.env` file or secrets directory. Precedence stays: a
    variable of the environment still wins. The object itself receives the new values, all at
    once; a group obtained earlier stays as it was.

    Args:
        path: A file, or a folder with one file per variable.
        target: The settings to reload; if omitted, the global ones.
        interval: Seconds between two looks.

    Returns:
        A running `Watcher`; `stop()` or `with` ends it.

    Raises:
        ConfigurationError: The first load failed.

    Example:
        >>> import pathlib, tempfile
        >>> from shared.config import load_settings
        >>> file = pathlib.Path(tempfile.mkdtemp(), ".env")
        >>> _ = file.write_text("LOG_LEVEL=INFO")
        >>> app = load_settings(env={}, dotenv=file)
        >>> with watch(file, app) as watcher:
        ...     _ = file.write_text("LOG_LEVEL=DEBUG")
        ...     _ = watcher.check()
        >>> app.logging.level
        'DEBUG'
    """
    watcher = Watcher(Path(path).expanduser(), target, interval)
    watcher.reload()
    watcher.start()
    return watcher


def _origin_of(target: Settings) -> Origin:
    private = target.__pydantic_private__ or {}
    origin: Origin = private["_origin"]
    return origin


def _differences(old: BaseModel, new: BaseModel, path: str = "") -> list[str]:
    found = []
    for name in type(new).model_fields:
        before: Any = getattr(old, name)
        after: Any = getattr(new, name)
        if isinstance(before, BaseModel) and type(before) is type(after):
            found += _differences(before, after, f"{path}{name}.")
        elif before != after:
            found.append(f"{path}{name}")
    return found
