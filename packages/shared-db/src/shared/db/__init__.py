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
    from ._sync.clickhouse import ClickHouse
    from ._sync.connections import CloseReport, DatabaseConnections, Ping
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
    "CloseReport": "_sync.connections",
    "DatabaseConnections": "_sync.connections",
    "Ping": "_sync.connections",
    "Postgres": "_sync.postgres",
    "Qdrant": "_sync.qdrant",
    "WriterReport": "_batch",
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
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    return value
