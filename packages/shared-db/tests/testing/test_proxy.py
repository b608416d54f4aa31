"""The fault proxy."""

import time

import pytest
import redis

from shared.db.testing import FaultProxy


def test_the_proxys_faults(redis_store):
    with FaultProxy(redis_store.host, redis_store.port) as proxy:
        client = redis.Redis(
            port=proxy.port, password=redis_store.settings.get("password"), socket_timeout=0.2,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        )  # fmt: skip
        assert client.ping()
        proxy.delay(0.05)
        started = time.monotonic()
        assert client.ping()
        assert time.monotonic() - started >= 0.05
        proxy.swallow()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        proxy.refuse()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        proxy.heal()
        assert client.ping()
        client.close()
