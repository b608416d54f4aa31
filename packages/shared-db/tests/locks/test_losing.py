"""A lock that is lost ends its block."""

import asyncio
import time

import pytest

from shared.db import (
    AsyncDatabaseConnections,
    LockLost,
)


def test_losing_the_lock_ends_the_block(db):
    reached = []
    with pytest.raises(LockLost), db.lock("job", ttl=0.5):
        db.redis.delete("shared-db:lock:{job}")
        for _ in range(1000):
            time.sleep(0.01)
        reached.append(1)
    assert not reached


def cancellations():
    task = asyncio.current_task()
    assert task is not None
    return task.cancelling()


async def test_losing_the_lock_cancels_the_task(redis_settings):
    async with AsyncDatabaseConnections.from_settings(redis_settings) as db:
        with pytest.raises(LockLost):
            async with db.lock("job", ttl=0.3):
                await db.redis.delete("shared-db:lock:{job}")
                await asyncio.sleep(60)
        assert cancellations() == 0
        async with db.lock("job", ttl=10) as lock:
            assert lock.token > 0


async def test_a_block_that_swallows_its_cancellation_is_cancelled_again(redis_settings):
    async with AsyncDatabaseConnections.from_settings(redis_settings) as db:
        swallowed = []
        with pytest.raises(LockLost):
            async with db.lock("job", ttl=0.3):
                try:
                    await db.redis.delete("shared-db:lock:{job}")
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    swallowed.append(1)
                await asyncio.sleep(60)
        assert swallowed
        assert cancellations() == 0


async def test_losing_postgres_cancels_the_task(postgres_settings):
    async with AsyncDatabaseConnections.from_settings(postgres_settings) as db:
        await db.postgres.execute("SELECT 1")
        with pytest.raises(LockLost):
            async with db.lock("gone", ttl=0.3, backend="postgres"):
                await db.postgres.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                    "WHERE locktype = 'advisory' "
                    "AND application_name = current_setting('application_name')"
                )
                await asyncio.sleep(60)
        async with db.lock("gone", ttl=10, backend="postgres"):
            pass
