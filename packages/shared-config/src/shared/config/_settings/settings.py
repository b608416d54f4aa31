"""`Settings`, the way to load them, and the one lazy instance."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, overload

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from shared.core.forks import after_fork

from .._base.errors import ConfigurationError, Problem
from .._read.defaults import complete, restore
from .._read.readonly import ReadOnly
from .._read.sources import Origin, Reading, guard
from .._read.variables import variables
from .groups import (
    AgentSettings,
    DatabaseSettings,
    LoggingSettings,
    MockCloudSettings,
    OrchestratorSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from pydantic.fields import FieldInfo

    from .._read.sources import Paths

__all__ = ["Settings", "load_settings", "settings"]

T = TypeVar("T", bound="Settings")

DOTENV = ".env"
SECRETS_DIR = "/run/secrets"

_ENVIRONMENTS = {
    "dev": "development",
    "local": "development",
    "testing": "test",
    "ci": "test",
    "stage": "staging",
    "prod": "production",
}

_reading: ContextVar[Reading] = ContextVar("shared.config.reading")


def _environment(value: object) -> object:
    if not isinstance(value, str):
        return value
    lower = value.strip().lower()
    known = _ENVIRONMENTS.get(lower, lower)
    return known if known in _ENVIRONMENTS.values() else value


class _Source(PydanticBaseSettingsSource):
    """All our sources as one source of pydantic-settings."""

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - its interface
        field_name: str,
    ) -> tuple[Any, str, bool]:
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        reading = _reading.get(None)
        return reading.data if reading is not None else {}


class Settings(ReadOnly, BaseSettings):
    """What a service reads from its environment. Add fields by inheriting from it.

    A field `api_key: Secret` reads `API_KEY` (or the file named by `API_KEY_FILE`), a group
    `kafka: Kafka` reads `KAFKA_HOST` and so on. Instances are read-only.

    Args:
        _env_file: One or several `.env` files; if omitted, the class's `env_file`.
        _secrets_dir: One or several folders with one file per variable.
        values: Fields, above every other source; groups as dictionaries.

    Raises:
        ConfigurationError: With every problem at once.

    Example:
        >>> class AppSettings(Settings):
        ...     workers: int = 4
        >>> app = load_settings(AppSettings, env={"WORKERS": "8", "REDIS_DB": "0"}, dotenv=None)
        >>> app.workers, app.database.redis_db, app.is_production
        (8, 0, False)
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(  # pyright: ignore[reportIncompatibleVariableOverride] - as pydantic-settings does
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        env_file=DOTENV,
        secrets_dir=SECRETS_DIR,
    )

    environment: Annotated[
        Literal["development", "test", "staging", "production"], BeforeValidator(_environment)
    ] = Field(
        default="development",
        validation_alias="ENVIRONMENT",
        description="Where the service runs",
    )
    debug: bool = Field(
        default=False, validation_alias="DEBUG", description="Debugging aids; never in production"
    )
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    orchestrator: OrchestratorSettings = Field(default_factory=OrchestratorSettings)
    mock_cloud: MockCloudSettings = Field(default_factory=MockCloudSettings)
    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    agent: AgentSettings = Field(default_factory=AgentSettings)

    _origin: Origin = PrivateAttr(default_factory=Origin)

    def __init__(
        self,
        *,
        _env_file: Paths = DOTENV,
        _secrets_dir: Paths = SECRETS_DIR,
        _origin: Origin | None = None,
        **values: Any,
    ) -> None:
        if _origin is None:
            _origin = _origin_of(type(self), None, _env_file, _secrets_dir)
        reading = _origin.read(type(self))
        values = guard(type(self), values)
        _origin.arguments = values
        problems = _load(self, reading, values)
        # A traceback printed with its locals must not show a secret.
        del values
        if problems:
            raise ConfigurationError(problems)
        self._origin = _origin

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours does it all
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours does it all
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours does it all
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return arguments first, then our sources; override it to add yours, as in pydantic-settings.

        Returns:
            The sources, the one that wins first.
        """
        return init_settings, _Source(settings_cls)

    @model_validator(mode="wrap")
    @classmethod
    def _with_defaults(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, dict):
            return handler(data)
        data, kept = complete(cls, data)
        made = handler(data)
        restore(made, kept)
        return made

    @property
    def is_production(self) -> bool:
        """Whether `ENVIRONMENT` is `production`."""
        return self.environment == "production"

    @property
    def is_development(self) -> bool:
        """Whether `ENVIRONMENT` is `development`."""
        return self.environment == "development"


def _origin_of(
    cls: type[Settings], env: Mapping[str, str] | None, dotenv: Paths, secrets_dir: Paths
) -> Origin:
    """Return the sources of a load; what is omitted comes from the class's `model_config`."""
    config = cls.model_config
    if dotenv == DOTENV:
        dotenv = config.get("env_file")
    if secrets_dir == SECRETS_DIR:
        secrets_dir = config.get("secrets_dir")
    return Origin(env, dotenv, secrets_dir)


def _load(made: Settings, reading: Reading, values: dict[str, Any]) -> list[Problem]:
    """Validate into `made`. Problems are returned: an exception would keep the input alive."""
    problems = list(reading.problems)
    token = _reading.set(reading)
    try:
        BaseSettings.__init__(made, _env_file=None, _secrets_dir=None, **values)
    except ValidationError as error:
        from .._read.messages import problems_of

        known = {problem.variable for problem in problems}
        found = problems_of(error, type(made), reading.sources, reading.secrets)
        # A variable that could not be read is not also missing.
        problems += [p for p in found if p.variable not in known]
    except SettingsError as error:  # a source added by the user
        problems.append(Problem(type(made).__name__, str(error)))
    finally:
        _reading.reset(token)
    order = {variable.name: place for place, variable in enumerate(variables(type(made)))}
    return sorted(problems, key=lambda problem: order.get(problem.variable, -1))


@overload
def load_settings(
    cls: type[T],
    env: Mapping[str, str] | None = None,
    dotenv: Paths = DOTENV,
    secrets_dir: Paths = SECRETS_DIR,
    **arguments: Any,
) -> T: ...


@overload
def load_settings(
    *,
    env: Mapping[str, str] | None = None,
    dotenv: Paths = DOTENV,
    secrets_dir: Paths = SECRETS_DIR,
    **arguments: Any,
) -> Settings: ...


def load_settings(
    cls: type[Settings] = Settings,
    env: Mapping[str, str] | None = None,
    dotenv: Paths = DOTENV,
    secrets_dir: Paths = SECRETS_DIR,
    **arguments: Any,
) -> Settings:
    """Load settings: arguments > environment > `.env` > secrets directory > default.

    Args:
        cls: `Settings` or a class that inherits from it.
        env: The environment, `os.environ` if None.
        dotenv: One or several `.env` files (later ones win), None for none; a class's own
            `env_file` replaces the default. A file that does not exist is skipped.
        secrets_dir: One or several folders with one file per variable, None for none; a class's
            own `secrets_dir` replaces the default.
        arguments: Fields of the class, above every other source; groups as dictionaries.

    Returns:
        An instance of `cls`.

    Raises:
        ConfigurationError: With every problem at once.

    Example:
        >>> load_settings(env={"AGENT_PORT": "9000"}, dotenv=None, debug=True).agent.port
        9000
    """
    kind: object = cls
    if not (isinstance(kind, type) and issubclass(kind, Settings)):
        raise ConfigurationError(f"cls must be a class derived from Settings, not {cls!r}")
    origin = _origin_of(cls, env, dotenv, secrets_dir)
    arguments = guard(cls, arguments)
    del env
    return cls(_origin=origin, **arguments)


_lock = threading.RLock()


@after_fork
def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.RLock()


_STATE = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")


class _Unloaded(Settings):
    """Settings that have not been read yet. The first read loads them.

    Kept for speed: a read of a loaded setting may take at most 1.1 times as long as one of a
    plain `BaseSettings`. A `__getattr__` or a proxy would stay on the path of every read; here the
    class of the instance changes to `Settings` with the first read, and nothing is left.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(defer_build=True)

    def __getattribute__(self, name: str) -> Any:
        # Attributes of every object do not load it: isinstance and inspection use them.
        needed = not name.startswith("__") or name in _STATE or name.startswith("__repr_")
        if needed and type(self) is _Unloaded:
            become(self)
        return object.__getattribute__(self, name)

    def __copy__(self) -> Settings:  # type: ignore[override]
        become(self)
        return self.__copy__()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Settings:  # type: ignore[override]
        become(self)
        return self.__deepcopy__(memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        become(self)
        return self.__reduce_ex__(protocol)

    def __eq__(self, other: object) -> bool:
        become(self)
        return self == other

    __hash__ = Settings.__hash__


def become(lazy: Settings, new: Settings | None = None) -> None:
    """Copy the values of another instance into one; of newly loaded settings if None."""
    with _lock:
        if new is None:
            if type(lazy) is not _Unloaded:
                return  # another thread was faster
            new = load_settings(Settings)
        # One assignment: a reader sees all the old values or all the new ones.
        object.__setattr__(lazy, "__dict__", dict(new.__dict__))
        for name in _STATE[1:]:
            object.__setattr__(lazy, name, getattr(new, name))
        if type(lazy) is _Unloaded:
            object.__setattr__(lazy, "__class__", Settings)


settings: Settings = _Unloaded.__new__(_Unloaded)
"""The settings of this process; nothing is read before the first access to an attribute."""
