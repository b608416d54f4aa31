"""Blocks that are never left."""

import asyncio
import gc
import logging
import warnings

import pytest

from shared.db import (
    AsyncDatabaseConnections,
)


def test_a_leak_is_reported_with_its_stack_and_makes_room(db, caplog):
    for _ in range(5):
        leaked = db.get_postgres_connection()
        leaked.__enter__()
        with caplog.at_level(logging.WARNING, "shared.db"), warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # psycopg's own, of the connection
            del leaked
            gc.collect()
    assert db.postgres.snapshot()["leaked"] == 5
    assert db.postgres.snapshot()["in_use"] == 0
    assert "test_a_leak_is_reported" in caplog.text
    assert db.postgres.execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize("what", ["cursor", "transaction", "pipeline"])
def test_a_block_that_is_never_left_is_reported_with_its_stack(db, caplog, what):
    with caplog.at_level(logging.WARNING, "shared.db"):
        leaked = getattr(db.postgres, what)()
        leaked.__enter__().execute("SELECT 1")
        del leaked
        gc.collect()
    assert "test_a_block_that_is_never_left" in caplog.text
    figures = db.postgres.snapshot()
    assert (figures["leaked"], figures["in_use"]) == (1, 0)
    assert list(db.postgres.stream("SELECT 1"))
    rows = db.postgres.stream("SELECT generate_series(1, 10000)")
    next(rows)
    del rows  # that is how a stream may end
    gc.collect()
    assert db.postgres.snapshot()["leaked"] == 1


async def test_a_task_that_never_leaves_its_block_is_reported(postgres_settings, caplog):
    async with AsyncDatabaseConnections.from_settings(postgres_settings) as db:
        with caplog.at_level(logging.WARNING, "shared.db"):
            leaked = db.get_postgres_cursor()
            await leaked.__aenter__()
            del leaked
            gc.collect()
            await asyncio.sleep(0.1)  # the loop ends the generator
        assert db.snapshot()["postgres"]["in_use"] == 0
        assert "test_a_task_that_never_leaves" in caplog.text
