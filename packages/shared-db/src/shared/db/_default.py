"""One default instance for programs that want functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from ._sync.connections import DatabaseConnections

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    import psycopg
    from redis import Redis

    from ._base.options import ClickHouseOptions, PostgresOptions, QdrantOptions, RedisOptions
    from ._base.reports import CloseReport, Ping
    from ._rules.copy import BadRow
    from ._sync.clickhouse.store import ClickHouse
    from ._sync.clickhouse.writer import ClickHouseWriter
    from ._sync.locks import Lock
    from ._sync.postgres.checkout import Checkout
    from ._sync.postgres.store import Postgres
    from ._sync.qdrant import Qdrant
    from ._sync.redis.store import RedisStore


class _Default(DatabaseConnections):
    """Describes a store by itself when it is first used, if the environment names it."""

    def _get(self, kind: str, name: str) -> Any:
        if name == "default" and (kind, name) not in self._stores and kind not in self._waiting:
            from shared.config import load_settings

            named = load_settings().database.model_fields_set
            if any(field.startswith(f"{kind}_") for field in named):
                self._initialize(kind, name, {})
        return super()._get(kind, name)

    # The methods of the same names would leave a copy of the options, with a password, in the
    # variables of one more frame when these are refused.
    def add_postgres(self, name: str, options: PostgresOptions) -> Postgres:
        return self._initialize("postgres", name, options)  # type: ignore[no-any-return]

    def add_clickhouse(self, name: str, options: ClickHouseOptions) -> ClickHouse:
        return self._initialize("clickhouse", name, options)  # type: ignore[no-any-return]

    def add_qdrant(self, name: str, options: QdrantOptions) -> Qdrant:
        return self._initialize("qdrant", name, options)  # type: ignore[no-any-return]

    def add_redis(self, name: str, options: RedisOptions) -> RedisStore:
        return self._initialize("redis", name, options)  # type: ignore[no-any-return]


_default = _Default()


def default_connections() -> DatabaseConnections:
    """Return the connections behind the functions of this module."""
    return _default


def initialize_postgres(*, name: str = "default", **options: Unpack[PostgresOptions]) -> Postgres:
    """Describe a PostgreSQL database: see `DatabaseConnections.initialize_postgres`."""
    return _default.add_postgres(name, options)


def initialize_clickhouse(
    *, name: str = "default", **options: Unpack[ClickHouseOptions]
) -> ClickHouse:
    """Describe a ClickHouse database: see `DatabaseConnections.initialize_clickhouse`."""
    return _default.add_clickhouse(name, options)


def initialize_qdrant(*, name: str = "default", **options: Unpack[QdrantOptions]) -> Qdrant:
    """Describe a Qdrant server: see `DatabaseConnections.initialize_qdrant`."""
    return _default.add_qdrant(name, options)


def initialize_redis(*, name: str = "default", **options: Unpack[RedisOptions]) -> RedisStore:
    """Describe a Redis database: see `DatabaseConnections.initialize_redis`."""
    return _default.add_redis(name, options)


def initialize_all_databases(
    required: Iterable[str] = (), timeout: float = 10.0
) -> dict[str, Ping]:
    """Connect every store described by the settings; see the method of the same name."""
    if not _default.described:
        _default.describe()
    return _default.initialize_all_databases(required, timeout)


def get_postgres_connection(
    *,
    name: str = "default",
    read_only: bool = False,
    timeout: float | None = None,
    autocommit: bool = False,
) -> Checkout[psycopg.Connection[Any]]:
    """Return a connection: see `DatabaseConnections.get_postgres_connection`."""
    return _default.get_postgres_connection(
        name=name, read_only=read_only, timeout=timeout, autocommit=autocommit
    )


def get_postgres_cursor(
    *,
    commit: bool = True,
    name: str = "default",
    read_only: bool = False,
    timeout: float | None = None,
    row_factory: Any = None,
    autocommit: bool = False,
) -> AbstractContextManager[psycopg.Cursor[Any]]:
    """Return a cursor: see `DatabaseConnections.get_postgres_cursor`."""
    return _default.get_postgres_cursor(
        commit=commit,
        name=name,
        read_only=read_only,
        timeout=timeout,
        row_factory=row_factory,
        autocommit=autocommit,
    )


def get_postgres(name: str = "default") -> Postgres:
    """Return a PostgreSQL database by name."""
    return _default.get_postgres(name)


def get_clickhouse(name: str = "default") -> ClickHouse:
    """Return a ClickHouse database by name."""
    return _default.get_clickhouse(name)


def get_qdrant(name: str = "default") -> Qdrant:
    """Return a Qdrant server by name."""
    return _default.get_qdrant(name)


def get_redis(name: str = "default") -> RedisStore:
    """Return a Redis database by name; its `client` is the driver's."""
    return _default.get_redis(name)


def get_clickhouse_client(name: str = "default") -> ClickHouse:
    """Return what has the driver's methods: the ClickHouse database itself."""
    return _default.get_clickhouse_client(name)


def get_qdrant_client(name: str = "default") -> Qdrant:
    """Return what has the driver's methods: the Qdrant server itself."""
    return _default.get_qdrant_client(name)


def get_redis_client(name: str = "default") -> Redis:
    """Return the driver's client of a Redis database."""
    return _default.get_redis_client(name)


def clickhouse_writer(
    table: str,
    max_rows: int = 10_000,
    *,
    max_bytes: int = 16_000_000,
    max_delay: float = 1.0,
    spill: str | os.PathLike[str] | None = None,
    deduplicate: bool = True,
    on_bad_row: Callable[[Mapping[str, Any], BadRow], Any] | None = None,
    dead_letters: str | os.PathLike[str] | None = None,
    name: str = "default",
) -> ClickHouseWriter:
    """Return a writer in batches: see `DatabaseConnections.clickhouse_writer`."""
    return _default.clickhouse_writer(
        table,
        max_rows,
        max_bytes=max_bytes,
        max_delay=max_delay,
        spill=spill,
        deduplicate=deduplicate,
        on_bad_row=on_bad_row,
        dead_letters=dead_letters,
        name=name,
    )


def lock(
    name: str,
    ttl: float = 10.0,
    *,
    backend: str = "redis",
    timeout: float | None = 10.0,
    store: str = "default",
) -> Lock:
    """Return a lock across processes: see `DatabaseConnections.lock`."""
    return _default.lock(name, ttl, backend=backend, timeout=timeout, store=store)


def ping(timeout: float = 2.0) -> dict[str, Ping]:
    """Ping every described store."""
    return _default.ping(timeout)


def health_checks(timeout: float = 0.5) -> dict[str, Callable[[], None]]:
    """Return a callable per store that raises if it does not answer."""
    return _default.health_checks(timeout)


def snapshot() -> dict[str, dict[str, Any]]:
    """Return the figures of every store in use."""
    return _default.snapshot()


def close_all(timeout: float = 10.0) -> CloseReport:
    """Close every store of the default instance; they may be initialized again."""
    return _default.close_all(timeout)
