from ._async.clickhouse.store import AsyncClickHouse
from ._async.clickhouse.writer import AsyncClickHouseWriter
from ._async.connections import AsyncDatabaseConnections
from ._async.postgres.store import AsyncPostgres
from ._async.qdrant import AsyncQdrant
from ._async.redis.store import AsyncRedisStore
from ._base.errors import (
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
from ._base.options import ClickHouseOptions, PostgresOptions, QdrantOptions, RedisOptions
from ._base.reports import CloseReport, Ping
from ._default import (
    clickhouse_writer,
    close_all,
    default_connections,
    get_clickhouse,
    get_clickhouse_client,
    get_postgres,
    get_postgres_connection,
    get_postgres_cursor,
    get_qdrant,
    get_qdrant_client,
    get_redis,
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
from ._rules.batch import WriterReport
from ._rules.copy import BadRow
from ._sync.clickhouse.store import ClickHouse
from ._sync.clickhouse.writer import ClickHouseWriter
from ._sync.connections import DatabaseConnections
from ._sync.postgres.store import Postgres
from ._sync.qdrant import Qdrant
from ._sync.redis.store import RedisStore

__all__ = [
    "AsyncClickHouse",
    "AsyncClickHouseWriter",
    "AsyncDatabaseConnections",
    "AsyncPostgres",
    "AsyncQdrant",
    "AsyncRedisStore",
    "BadRow",
    "ClickHouse",
    "ClickHouseOptions",
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
    "PostgresOptions",
    "Qdrant",
    "QdrantOptions",
    "RedisOptions",
    "RedisStore",
    "Unavailable",
    "WriterReport",
    "clickhouse_writer",
    "close_all",
    "default_connections",
    "get_clickhouse",
    "get_clickhouse_client",
    "get_postgres",
    "get_postgres_connection",
    "get_postgres_cursor",
    "get_qdrant",
    "get_qdrant_client",
    "get_redis",
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
