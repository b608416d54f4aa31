"""The functions over one default instance."""

import pytest

import shared.db
from shared.db import (
    DatabaseError,
    NotConfigured,
)


def test_the_functions(redis_settings, postgres_settings):
    with pytest.raises(NotConfigured, match="REDIS_HOST"):
        shared.db.get_redis_client()
    shared.db.initialize_redis(**redis_settings)
    shared.db.initialize_postgres(**postgres_settings)
    try:
        assert shared.db.get_redis_client().ping()
        with shared.db.get_postgres_cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
        with shared.db.get_postgres_connection() as connection:
            assert connection.execute("SELECT 2").fetchone() == (2,)
        assert shared.db.ping().keys() == {"postgres", "redis"}
        assert shared.db.health_checks()["postgres"]() is None
        assert shared.db.snapshot()["postgres"]["idle"] == 1
        with pytest.raises(DatabaseError, match="initialized already"):
            shared.db.initialize_redis(**redis_settings)
    finally:
        shared.db.close_all()
    with pytest.raises(shared.db.PoolClosed):
        shared.db.get_redis_client()
    shared.db.initialize_redis(**redis_settings)
    assert shared.db.get_redis_client().ping()
    shared.db.close_all()
