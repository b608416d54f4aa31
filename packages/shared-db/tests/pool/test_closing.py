"""Closing drains, then cancels and counts."""

import asyncio
import threading
import time
from typing import Any

import psycopg
import pytest

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    PoolClosed,
    Unavailable,
)


def test_close_drains_then_cancels_and_counts(postgres_settings, until):
    db = DatabaseConnections.from_settings(postgres_settings)
    db.initialize_postgres(max_connections=4)
    results: dict[str, Any] = {}

    def run(name, seconds):
        try:
            results[name] = db.postgres.execute("SELECT pg_sleep(%s)", [seconds])
        except Exception as error:
            results[name] = error

    threads = [
        threading.Thread(target=run, args=item)
        for item in [("short", 0.2), ("long", 60), ("longer", 60)]
    ]
    for thread in threads:
        thread.start()
    until("three in use", lambda: db.postgres.snapshot()["in_use"] == 3)
    time.sleep(0.05)
    closing = []
    closer = threading.Thread(target=lambda: closing.append(db.close_all(timeout=0.6)))
    closer.start()
    time.sleep(0.05)
    with pytest.raises(PoolClosed):
        db.postgres.execute("SELECT 1")
    closer.join()
    for thread in threads:
        thread.join()
    assert results["short"] == [("",)]
    assert isinstance(results["long"], Exception)
    assert isinstance(results["longer"], Exception)
    assert (closing[0].cancelled, closing[0].finished) == (2, 1)


async def test_async_close_cancels_what_outlasts(postgres_settings):
    db = AsyncDatabaseConnections.from_settings(postgres_settings)
    task = asyncio.create_task(db.postgres.execute("SELECT pg_sleep(60)"))
    await asyncio.sleep(0.1)
    report = await db.close_all(timeout=0.1)
    assert report.cancelled == 1
    with pytest.raises((psycopg.Error, Unavailable)):
        await task
