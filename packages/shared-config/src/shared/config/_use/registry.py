"""Configuration of components outside the settings: each has its own class."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.core.forks import renew

from .._base.errors import ConfigurationError
from .._base.names import closest
from .._read.readonly import ReadOnly, fill
from .._read.sources import Origin
from .._settings.settings import DOTENV, SECRETS_DIR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._read.sources import Paths

__all__ = ["BaseConfig", "ConfigRegistry", "get_config", "register_config"]

C = TypeVar("C", bound=BaseModel)


class BaseConfig(ReadOnly, BaseModel):
    """The base of a component's configuration; read-only, and without visible secrets.

    Example:
        >>> class CacheConfig(BaseConfig):
        ...     size: int = 100
        >>> registry = ConfigRegistry(env={"MY_CACHE_SIZE": "500"}, dotenv=None)
        >>> registry.register("my_cache", CacheConfig)
        >>> registry.get("my_cache").size
        500
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )


class ConfigRegistry:
    """Components by name; each is loaded once, at the first `get`.

    Args:
        env: The environment, `os.environ` if None.
        dotenv: One or several `.env` files.
        secrets_dir: One or several folders with one file per variable.

    Example:
        >>> class QueueConfig(BaseConfig):
        ...     length: int = 10
        >>> registry = ConfigRegistry(env={"JOBS_LENGTH": "99"}, dotenv=None)
        >>> registry.register("jobs", QueueConfig)
        >>> registry.get("jobs").length, registry.names()
        (99, ['jobs'])
    """

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        dotenv: Paths = DOTENV,
        secrets_dir: Paths = SECRETS_DIR,
    ) -> None:
        self._sources = (env, dotenv, secrets_dir)
        self._classes: dict[str, type[BaseModel]] = {}
        self._loaded: dict[str, BaseModel] = {}
        self._lock = threading.RLock()
        renew(self)

    def renew_after_fork(self) -> None:
        """In a child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def register(self, name: str, config: type[BaseModel]) -> None:
        """Register a component. It reads `<NAME>_<FIELD>`; nothing is read yet.

        Args:
            name: Lower-case letters, digits and `_`.
            config: Its class, derived from `BaseConfig` (any pydantic model will do).

        Raises:
            ConfigurationError: The name is malformed or another class has it.
        """
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)):
            raise ConfigurationError(
                f"component name {name!r} is not lower-case letters, digits, _"
            )
        kind: object = config
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            raise ConfigurationError(f"component {name}: {config!r} is not derived from BaseConfig")
        with self._lock:
            other = self._classes.get(name)
            if other is not None and other is not config:
                raise ConfigurationError(
                    f"component {name} is already registered with {other.__qualname__}"
                )
            self._classes[name] = config

    def get(self, name: str) -> Any:
        """Return a component's configuration.

        Raises:
            ConfigurationError: The component is unknown, or something in it is wrong.
        """
        loaded = self._loaded.get(name)
        if loaded is not None:
            return loaded
        with self._lock:
            if name in self._loaded:
                return self._loaded[name]
            config = self._classes.get(name)
            if config is None:
                near = closest(str(name), self._classes)
                hint = f"; did you mean {near}?" if near else ""
                raise ConfigurationError(f"component {name!r} is not registered{hint}")
            made = load_component(name, config, *self._sources)
            self._loaded[name] = made
            return made

    def reload(self) -> None:
        """Forget the loaded values: the next `get` reads again."""
        with self._lock:
            self._loaded.clear()

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def names(self) -> list[str]:
        """Return the names of all components, sorted."""
        return sorted(self._classes)


def load_component(
    name: str, config: type[C], env: Mapping[str, str] | None, dotenv: Paths, secrets_dir: Paths
) -> C:
    """Load one component's configuration from `<NAME>_*`."""
    prefix = f"{name}_".upper()
    reading = Origin(env, dotenv, secrets_dir, prefix).read(config)
    del env
    made = config.__new__(config)
    problems = reading.problems + fill(made, reading, prefix)
    if problems:
        raise ConfigurationError(problems)
    return made


_registry = ConfigRegistry()


def register_config(name: str, config: type[BaseModel]) -> None:
    """Register a component for the whole process; see `ConfigRegistry.register`.

    Args:
        name: Lower-case letters, digits and `_`.
        config: Its class, derived from `BaseConfig`.

    Raises:
        ConfigurationError: The name is malformed or another class has it.

    Example:
        >>> class ReportConfig(BaseConfig):
        ...     pages: int = 3
        >>> register_config("doc_report", ReportConfig)
        >>> get_config("doc_report").pages  # or the value of DOC_REPORT_PAGES
        3
    """
    _registry.register(name, config)


def get_config(name: str) -> Any:
    """Return the configuration of a component; see `ConfigRegistry.get`.

    Args:
        name: The name passed to `register_config`.

    Returns:
        The one instance of its class.

    Raises:
        ConfigurationError: The component is unknown, or something in it is wrong.
    """
    return _registry.get(name)
