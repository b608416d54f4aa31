"""One Redis, plain and behind a fault proxy."""

import pytest

from shared.db import DatabaseConnections


@pytest.fixture
def db(redis_db):
    return redis_db


@pytest.fixture
def proxied(redis_store, redis_settings, fault_proxy):
    proxy = fault_proxy(redis_store)
    settings = {**redis_settings, "host": proxy.host, "port": proxy.port}
    with DatabaseConnections() as db:
        db.initialize_redis(**settings, timeout=1, socket_timeout=1)
        yield db, proxy
