"""For the tests of services: the four stores as pytest fixtures, and a proxy that makes faults.

This line in a `conftest.py`:

    pytest_plugins = ["shared.db.testing"]

brings the session fixtures `postgres_store`, `redis_store`, `clickhouse_store` and
`qdrant_store` (embedded, or the servers that `SHARED_DB_TEST_POSTGRES_URL` and the other
variables name), `database_connections` over all four, and `fault_proxy`.
"""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
