"""What runs may end, and what outlasts its time is cut off and counted."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    DatabaseError,
    OutcomeUnknown,
    PoolClosed,
)


def run(*arguments, **env):
    command = [sys.executable, "-m", "shared.db", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **env}, check=False
    )


def test_close_cuts_off_what_outlasts_its_time_and_counts(
    redis_settings, clickhouse_settings, until
):
    db = DatabaseConnections.from_settings([redis_settings, clickhouse_settings])
    answers = {}

    def run(name, call):
        try:
            answers[name] = call()
        except DatabaseError as error:
            answers[name] = error

    calls = {
        "blocked": lambda: db.redis.blpop("nothing", timeout=60),
        "slow": lambda: db.clickhouse.command("SELECT sleep(3)"),
        "quick": lambda: db.clickhouse.command("SELECT sleep(0.2)"),
    }
    db.clickhouse.command("SELECT 1")
    threads = [threading.Thread(target=run, args=item) for item in calls.items()]
    for thread in threads:
        thread.start()
    until("three in use", lambda: sum(one["in_use"] for one in db.snapshot().values()) == 3)
    time.sleep(0.05)
    report = db.close_all(timeout=0.5)
    for thread in threads:
        thread.join()
    assert (report.cancelled, report.finished) == (2, 1)
    assert answers["quick"] == 0
    assert isinstance(answers["blocked"], OutcomeUnknown)
    assert isinstance(answers["slow"], PoolClosed)
    for call in (
        lambda: db.lock("job").__enter__(),
        lambda: db.clickhouse_writer("t"),
        lambda: db.redis.get("k"),
        lambda: db.clickhouse.command("SELECT 1"),
    ):
        with pytest.raises(PoolClosed):
            call()


async def test_close_cuts_off_tasks(redis_settings, clickhouse_settings):
    db = AsyncDatabaseConnections.from_settings([redis_settings, clickhouse_settings])
    await db.clickhouse.command("SELECT 1")
    redis: Any = db.redis
    tasks = [
        asyncio.create_task(redis.blpop("nothing", timeout=60)),
        asyncio.create_task(db.clickhouse.command("SELECT sleep(3)")),
        asyncio.create_task(db.clickhouse.command("SELECT sleep(0.2)")),
    ]
    await asyncio.sleep(0.1)
    report = await db.close_all(timeout=0.5)
    assert (report.cancelled, report.finished) == (2, 1)
    blocked, slow, quick = await asyncio.gather(*tasks, return_exceptions=True)
    assert (type(blocked), type(slow), quick) == (OutcomeUnknown, PoolClosed, 0)
