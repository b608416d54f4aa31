"""Cancelled queries and cancelled waiters."""

import asyncio
import time

import pytest

from shared.db import (
    AsyncDatabaseConnections,
)


async def test_a_cancelled_query_leaves_a_clean_connection(postgres_settings):
    async with AsyncDatabaseConnections.from_settings(postgres_settings) as db:
        db.initialize_postgres(max_connections=1)
        before = (await db.postgres.execute("SELECT pg_backend_pid()"))[0]
        for _ in range(10):
            task = asyncio.create_task(db.postgres.execute("SELECT pg_sleep(60)"))
            await asyncio.sleep(0.02)
            task.cancel()
            started = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - started < 5
        assert (await db.postgres.execute("SELECT pg_backend_pid()"))[0] == before
        assert db.postgres.snapshot()["in_use"] == 0


async def test_cancelled_waiters_leak_nothing(postgres_settings):
    async with AsyncDatabaseConnections.from_settings(postgres_settings) as db:
        db.initialize_postgres(max_connections=2, timeout=5)

        async def use():
            async with db.get_postgres_connection() as connection:
                await connection.execute("SELECT pg_sleep(0.001)")

        for round_ in range(5):
            tasks = [asyncio.create_task(use()) for _ in range(20)]
            await asyncio.sleep(0.002 * round_)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        figures = db.postgres.snapshot()
        assert (figures["in_use"], figures["waiting"], figures["opening"]) == (0, 0, 0)
        assert figures["idle"] <= 2
        await asyncio.gather(*(use() for _ in range(20)))
