from ._fixtures import (
    clickhouse_store,
    database_connections,
    fault_proxy,
    postgres_store,
    qdrant_store,
    redis_store,
)
from ._proxy import FaultProxy
from ._stores import ServerStore

__all__ = [
    "FaultProxy",
    "ServerStore",
    "clickhouse_store",
    "database_connections",
    "fault_proxy",
    "postgres_store",
    "qdrant_store",
    "redis_store",
]
