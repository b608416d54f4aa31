"""PostgreSQL, ClickHouse, Qdrant and Redis: pools, batch writer, locks and embedded stores."""

from typing import TYPE_CHECKING, Any

from ._errors import (
    DatabaseError,
    DriverMissing,
    LockLost,
    LockTimeout,
    NotConfigured,
    OutcomeUnknown,
    PoolClosed,
    PoolExhausted,
    Unavailable,
)

if TYPE_CHECKING:
    from ._async.clickhouse import AsyncClickHouse
    from ._async.connections import AsyncDatabaseConnections
    from ._async.postgres import AsyncPostgres
    from ._async.qdrant import AsyncQdrant
    from ._async.writer import AsyncClickHouseWriter
    from ._batch import WriterReport
    from ._copy import BadRow
    from ._default import (
        clickhouse_writer,
        close_all,
        default_connections,
        get_clickhouse_client,
        get_postgres,
        get_postgres_connection,
        get_postgres_cursor,
        get_qdrant_client,
        get_redis_client,
        health_checks,
        initialize_all_databases,
        initialize_clickhouse,
        initialize_postgres,
        initialize_qdrant,
        initialize_redis,
        lock,
        ping,
        snapshot,
    )
    from ._reports import CloseReport, Ping
    from ._sync.clickhouse import ClickHouse
    from ._sync.connections import DatabaseConnections
    from ._sync.postgres import Postgres
    from ._sync.qdrant import Qdrant
    from ._sync.writer import ClickHouseWriter

# Loaded when first used: importing this package costs next to nothing.
_LAZY = {
    "AsyncClickHouse": "_async.clickhouse",
    "AsyncClickHouseWriter": "_async.writer",
    "AsyncDatabaseConnections": "_async.connections",
    "AsyncPostgres": "_async.postgres",
    "AsyncQdrant": "_async.qdrant",
    "BadRow": "_copy",
    "ClickHouse": "_sync.clickhouse",
    "ClickHouseWriter": "_sync.writer",
    "CloseReport": "_reports",
    "DatabaseConnections": "_sync.connections",
    "Ping": "_reports",
    "Postgres": "_sync.postgres",
    "Qdrant": "_sync.qdrant",
    "WriterReport": "_batch",
    "clickhouse_writer": "_default",
    "close_all": "_default",
    "default_connections": "_default",
    "get_clickhouse_client": "_default",
    "get_postgres": "_default",
    "get_postgres_connection": "_default",
    "get_postgres_cursor": "_default",
    "get_qdrant_client": "_default",
    "get_redis_client": "_default",
    "health_checks": "_default",
    "initialize_all_databases": "_default",
    "initialize_clickhouse": "_default",
    "initialize_postgres": "_default",
    "initialize_qdrant": "_default",
    "initialize_redis": "_default",
    "lock": "_default",
    "ping": "_default",
    "snapshot": "_default",
}

__all__ = [
    "AsyncClickHouse",
    "AsyncClickHouseWriter",
    "AsyncDatabaseConnections",
    "AsyncPostgres",
    "AsyncQdrant",
    "BadRow",
    "ClickHouse",
    "ClickHouseWriter",
    "CloseReport",
    "DatabaseConnections",
    "DatabaseError",
    "DriverMissing",
    "LockLost",
    "LockTimeout",
    "NotConfigured",
    "OutcomeUnknown",
    "Ping",
    "PoolClosed",
    "PoolExhausted",
    "Postgres",
    "Qdrant",
    "Unavailable",
    "WriterReport",
    "clickhouse_writer",
    "close_all",
    "default_connections",
    "get_clickhouse_client",
    "get_postgres",
    "get_postgres_connection",
    "get_postgres_cursor",
    "get_qdrant_client",
    "get_redis_client",
    "health_checks",
    "initialize_all_databases",
    "initialize_clickhouse",
    "initialize_postgres",
    "initialize_qdrant",
    "initialize_redis",
    "lock",
    "ping",
    "snapshot",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    return value
