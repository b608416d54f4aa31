"""The groups of variables that every service shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)
from pydantic.functional_validators import AfterValidator

from .._read.readonly import ReadOnly
from .._secret.secrets import Secret  # noqa: TC001 - pydantic evaluates the annotations
from .._secret.stores import ClickHouseURL, PostgresURL, QdrantURL, RedisURL
from .._secret.urls import SecretURL, check_host

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

__all__ = [
    "AgentSettings",
    "DatabaseSettings",
    "LoggingSettings",
    "MockCloudSettings",
    "OrchestratorSettings",
]


def _var(name: str | AliasChoices, description: str, default: Any, **limits: Any) -> Any:
    return Field(default=default, validation_alias=name, description=description, **limits)


def _format(value: object) -> object:
    # What is not known stays as it is: the error shows it.
    known = value.strip().lower() if isinstance(value, str) else ""
    return known if known in {"json", "text"} else value


def _level(value: object) -> object:
    if not isinstance(value, str):
        return value
    upper = value.strip().upper()
    known = {"WARN": "WARNING", "FATAL": "CRITICAL"}.get(upper, upper)
    return known if known in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"} else value


def _whole(value: float) -> float:
    # A whole number stays one, as in `range(settings.agent.task_timeout)`.
    return int(value) if value.is_integer() else value


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), AfterValidator(_whole)]
Port = Annotated[int, Field(ge=1, le=65535)]
Host = Annotated[str, AfterValidator(check_host)]


class Group(ReadOnly, BaseModel):
    """A group of variables; read-only, also when created by hand."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )


class DatabaseSettings(Group):
    """The four stores, each by its parts or by a URL.

    A URL wins over the parts, which then have its values. What the URL omits (such as a
    password) comes from the part's variable if that is set. `DATABASE_URL` does what
    `POSTGRES_URL` does, if its scheme is PostgreSQL's.

    Example:
        >>> from shared.config import load_settings
        >>> env = {"POSTGRES_PASSWORD": "p@ss", "REDIS_URL": "redis://cache/3"}
        >>> database = load_settings(env=env, dotenv=None).database
        >>> database.postgres_url.reveal()
        'postgresql://optiinfra:p%40ss@localhost:5432/optiinfra'
        >>> database.redis_host, database.redis_db, database.qdrant_port
        ('cache', 3, 6333)
    """

    postgres_url: PostgresURL = _var(
        AliasChoices("POSTGRES_URL", "DATABASE_URL"), "PostgreSQL as one URL", None
    )
    postgres_host: Host = _var("POSTGRES_HOST", "PostgreSQL host", "localhost")
    postgres_port: Port = _var("POSTGRES_PORT", "PostgreSQL port", 5432)
    postgres_db: str = _var("POSTGRES_DB", "PostgreSQL database", "optiinfra")
    postgres_user: str = _var("POSTGRES_USER", "PostgreSQL user", "optiinfra")
    postgres_password: Secret | None = _var("POSTGRES_PASSWORD", "PostgreSQL password", None)

    clickhouse_url: ClickHouseURL = _var(
        "CLICKHOUSE_URL", "ClickHouse as one URL; also chdb://memory, chdb:///path", None
    )
    clickhouse_host: Host = _var("CLICKHOUSE_HOST", "ClickHouse host", "localhost")
    clickhouse_port: Port = _var("CLICKHOUSE_PORT", "ClickHouse HTTP port", 8123)
    clickhouse_db: str = _var("CLICKHOUSE_DB", "ClickHouse database", "optiinfra")
    clickhouse_user: str = _var("CLICKHOUSE_USER", "ClickHouse user", "default")
    clickhouse_password: Secret | None = _var("CLICKHOUSE_PASSWORD", "ClickHouse password", None)

    qdrant_url: QdrantURL = _var(
        "QDRANT_URL", "Qdrant as one URL; also :memory:, path:/folder", None
    )
    qdrant_host: Host = _var("QDRANT_HOST", "Qdrant host", "localhost")
    qdrant_port: Port = _var("QDRANT_PORT", "Qdrant HTTP port", 6333)
    qdrant_api_key: Secret | None = _var("QDRANT_API_KEY", "Qdrant API key", None)

    redis_url: RedisURL = _var("REDIS_URL", "Redis as one URL; rediss:// for TLS", None)
    redis_host: Host = _var("REDIS_HOST", "Redis host", "localhost")
    redis_port: Port = _var("REDIS_PORT", "Redis port", 6379)
    redis_db: int = _var("REDIS_DB", "Redis database number", 0, ge=0)
    redis_password: Secret | None = _var("REDIS_PASSWORD", "Redis password", None)

    # Variables that were set, but lost to the URL.
    _overruled: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _fill(self) -> Self:
        values: dict[str, Any] = vars(self)
        given = self.__pydantic_fields_set__
        overruled: list[str] = []
        for store in _STORES:
            url: SecretURL | None = values[store.url]
            if url is None:
                values[store.url] = store.kind.build(**store.parts(values))
                continue
            stated = store.values(url)
            if not url.embedded:
                missing = {
                    f: values[f] for f in store.fields.values() if f in given - stated.keys()
                }
                values[store.url] = url.replace(**store.parts(missing))
            overruled += [f.upper() for f in stated if f in given and values[f] != stated[f]]
            values |= stated
        self._overruled = tuple(overruled)
        return self

    def _changed(self, update: Mapping[str, Any]) -> dict[str, Any]:
        """Put a changed part into the URL, if the store was configured by one."""
        data = {name: getattr(self, name) for name in self.model_fields_set} | dict(update)
        for store in _STORES:
            fields = store.fields.values()
            changed = {f: update[f] for f in fields if f in update}
            if not changed or store.url in update or store.url not in data:
                continue
            url: SecretURL = data.pop(store.url)
            if not url.embedded:
                new = type(self)(**changed)
                data = {name: value for name, value in data.items() if name not in fields}
                data[store.url] = url.replace(**store.parts({f: getattr(new, f) for f in changed}))
        return data


class _Store(NamedTuple):
    """How the URL of a store and the fields of its parts correspond."""

    kind: type[SecretURL]
    url: str
    fields: dict[str, str]

    def parts(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of fields as the parts of a URL."""
        found = {part: values[field] for part, field in self.fields.items() if field in values}
        return {part: str(v) if part == "database" else v for part, v in found.items()}

    def values(self, url: SecretURL) -> dict[str, Any]:
        """Return the parts that a URL states, by field."""
        found = {field: getattr(url, part) for part, field in self.fields.items()}
        return {f: int(v) if f == "redis_db" else v for f, v in found.items() if v is not None}


def _store(kind: type[SecretURL], name: str, *parts: str) -> _Store:
    fields = {part: f"{name}_{'db' if part == 'database' else part}" for part in parts}
    return _Store(kind, f"{name}_url", fields)


_STORES = (
    _store(PostgresURL, "postgres", "host", "port", "user", "password", "database"),
    _store(ClickHouseURL, "clickhouse", "host", "port", "user", "password", "database"),
    _store(QdrantURL, "qdrant", "host", "port"),
    _store(RedisURL, "redis", "host", "port", "password", "database"),
)


class OrchestratorSettings(Group):
    """The address of the orchestrator."""

    host: Host = _var("ORCHESTRATOR_HOST", "Orchestrator host", "localhost")
    port: Port = _var("ORCHESTRATOR_PORT", "Orchestrator port", 8080)

    @property
    def url(self) -> str:
        """The base URL, `http://host:port`."""
        return _http(self.host, self.port)


class MockCloudSettings(Group):
    """The address of the mock cloud provider."""

    host: Host = _var("MOCK_CLOUD_HOST", "Mock cloud host", "localhost")
    port: Port = _var("MOCK_CLOUD_PORT", "Mock cloud port", 5000)

    @property
    def url(self) -> str:
        """The base URL, `http://host:port`."""
        return _http(self.host, self.port)


class LoggingSettings(Group):
    """The level, format and destination of logs."""

    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_level)
    ] = _var("LOG_LEVEL", "The lowest level that is logged", "INFO")
    format: Annotated[Literal["json", "text"], BeforeValidator(_format)] = _var(
        "LOG_FORMAT", "One JSON object per line, or text for people", "json"
    )
    output: str = _var("LOG_OUTPUT", "stdout, stderr or the path of a file", "stdout")


class AgentSettings(Group):
    """This service, as an agent of the orchestrator."""

    name: str = _var("AGENT_NAME", "The agent's name", "agent")
    type: str = _var("AGENT_TYPE", "The kind of agent", "generic")
    host: Host = _var("AGENT_HOST", "The agent's host", "localhost")
    port: Port = _var("AGENT_PORT", "The agent's port", 8001)
    version: str = _var("AGENT_VERSION", "The agent's version", "1.0.0")
    heartbeat_interval: Seconds = _var("HEARTBEAT_INTERVAL", "Seconds between heartbeats", 30)
    task_timeout: Seconds = _var("TASK_TIMEOUT", "Seconds that a task may take", 300)
    max_concurrent_tasks: int = _var("MAX_CONCURRENT_TASKS", "Tasks at the same time", 5, ge=1)

    @property
    def agent_type(self) -> str:
        """The same as `type`."""
        return self.type


def _http(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
