"""One default instance for programs that want functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._sync.connections import DatabaseConnections

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    import psycopg
    from redis import Redis

    from ._reports import CloseReport, Ping
    from ._sync.checkout import Checkout
    from ._sync.clickhouse import ClickHouse
    from ._sync.locks import Lock
    from ._sync.postgres import Postgres
    from ._sync.qdrant import Qdrant
    from ._sync.redis import RedisStore
    from ._sync.writer import ClickHouseWriter


class _Default(DatabaseConnections):
    """Describes a store by itself when it is first asked for and the environment names it."""

    def _get(self, kind: str, name: str) -> Any:
        if name == "default" and (kind, name) not in self._stores and kind not in self._waiting:
            from shared.config import load_settings

            named = load_settings().database.model_fields_set
            if any(field.startswith(f"{kind}_") for field in named):
                self._initialize(kind, name, {})
        return super()._get(kind, name)


_default = _Default()


def default_connections() -> DatabaseConnections:
    """The connections behind the functions of this module."""
    return _default


def initialize_postgres(*, name: str = "default", **arguments: Any) -> Postgres:
    """Describes a PostgreSQL database: see `DatabaseConnections.initialize_postgres`."""
    return _default.initialize_postgres(name=name, **arguments)


def initialize_clickhouse(*, name: str = "default", **arguments: Any) -> ClickHouse:
    """Describes a ClickHouse database: see `DatabaseConnections.initialize_clickhouse`."""
    return _default.initialize_clickhouse(name=name, **arguments)


def initialize_qdrant(*, name: str = "default", **arguments: Any) -> Qdrant:
    """Describes a Qdrant: see `DatabaseConnections.initialize_qdrant`."""
    return _default.initialize_qdrant(name=name, **arguments)


def initialize_redis(*, name: str = "default", **arguments: Any) -> RedisStore:
    """Describes a Redis database: see `DatabaseConnections.initialize_redis`."""
    return _default.initialize_redis(name=name, **arguments)


def initialize_all_databases(
    required: Iterable[str] = (), timeout: float = 10.0
) -> dict[str, Ping]:
    """Connects every store that the settings describe; see the method of the same name."""
    if not _default.described:
        _default.describe()
    return _default.initialize_all_databases(required, timeout)


def get_postgres_connection(
    *, name: str = "default", read_only: bool = False, timeout: float | None = None
) -> Checkout[psycopg.Connection[Any]]:
    """A connection: see `DatabaseConnections.get_postgres_connection`."""
    return _default.get_postgres_connection(name=name, read_only=read_only, timeout=timeout)


def get_postgres_cursor(
    *,
    commit: bool = True,
    name: str = "default",
    read_only: bool = False,
    timeout: float | None = None,
    row_factory: Any = None,
) -> AbstractContextManager[psycopg.Cursor[Any]]:
    """A cursor: see `DatabaseConnections.get_postgres_cursor`."""
    return _default.get_postgres_cursor(
        commit=commit, name=name, read_only=read_only, timeout=timeout, row_factory=row_factory
    )


def get_postgres(name: str = "default") -> Postgres:
    """A PostgreSQL database by name."""
    return _default.get_postgres(name)


def get_clickhouse_client(name: str = "default") -> ClickHouse:
    """A ClickHouse database by name."""
    return _default.get_clickhouse_client(name)


def get_qdrant_client(name: str = "default") -> Qdrant:
    """A Qdrant by name."""
    return _default.get_qdrant_client(name)


def get_redis_client(name: str = "default") -> Redis:
    """The client of a Redis database by name."""
    return _default.get_redis_client(name)


def clickhouse_writer(
    table: str,
    max_rows: int = 10_000,
    max_bytes: int = 16_000_000,
    max_delay: float = 1.0,
    spill: str | os.PathLike[str] | None = None,
    **options: Any,
) -> ClickHouseWriter:
    """A writer in batches: see `DatabaseConnections.clickhouse_writer`."""
    return _default.clickhouse_writer(table, max_rows, max_bytes, max_delay, spill, **options)


def lock(name: str, ttl: float = 10.0, backend: str = "redis", **options: Any) -> Lock:
    """A lock across processes: see `DatabaseConnections.lock`."""
    return _default.lock(name, ttl, backend, **options)


def ping(timeout: float = 2.0) -> dict[str, Ping]:
    """Asks every store that is described."""
    return _default.ping(timeout)


def health_checks(timeout: float = 0.5) -> dict[str, Callable[[], None]]:
    """A callable for each store that raises when it does not answer."""
    return _default.health_checks(timeout)


def snapshot() -> dict[str, dict[str, Any]]:
    """The figures of every store in use."""
    return _default.snapshot()


def close_all(timeout: float = 10.0) -> CloseReport:
    """Closes every store of the default instance; they may be initialized again."""
    return _default.close_all(timeout)
