"""For the tests of services: the four stores as pytest fixtures, and a proxy that makes faults.

In a ``conftest.py``::

    pytest_plugins = ["shared.db.testing"]

gives the session fixtures ``postgres_store``, ``redis_store``, ``clickhouse_store`` and
``qdrant_store`` (embedded, or the servers that ``SHARED_DB_TEST_POSTGRES_URL`` and its like
name), ``database_connections`` over all four, and ``fault_proxy``.
"""

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
