"""A pool without a free connection."""

import contextlib
import threading
import time

import pytest

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    PoolExhausted,
)


def test_exhaustion_names_the_holders(db):
    held = [db.get_postgres_connection() for _ in range(4)]
    for one in held:
        one.__enter__()
    started = time.monotonic()
    with pytest.raises(PoolExhausted) as caught:
        db.get_postgres_connection(timeout=0.1).__enter__()
    assert 0.1 <= time.monotonic() - started < 2
    error = caught.value
    assert (error.pool, error.in_use, len(error.holders)) == ("postgres", 4, 4)
    assert all("test_exhaustion.py:" in holder for holder in error.holders)
    for one in held:
        one.__exit__(None, None, None)
    assert db.postgres.snapshot()["exhausted"] == 1
    assert db.postgres.execute("SELECT 1") == [(1,)]


def test_waiting_is_first_come_first_served(db, until):
    order = []
    held = [db.get_postgres_connection() for _ in range(4)]
    for one in held:
        one.__enter__()

    def wait(n):
        with db.get_postgres_connection():
            order.append(n)

    threads = []
    for n in range(5):
        threads.append(threading.Thread(target=wait, args=(n,)))
        threads[-1].start()
        until(f"{n + 1} in the queue", lambda n=n: db.postgres.snapshot()["waiting"] == n + 1)
    held[0].__exit__(None, None, None)
    for thread in threads:
        thread.join()
    for one in held[1:]:
        one.__exit__(None, None, None)
    assert order == list(range(5))


async def test_async_exhaustion_and_nested_transactions(postgres_settings):
    async with AsyncDatabaseConnections.from_settings(postgres_settings) as db:
        db.initialize_postgres(max_connections=1)
        async with db.postgres.transaction() as outer, db.postgres.transaction() as inner:
            assert inner is outer
            with pytest.raises(PoolExhausted):
                async with db.get_postgres_connection(timeout=0.05):
                    pass
        assert [row async for row in db.postgres.stream("SELECT generate_series(1, 3)")] == [
            (1,),
            (2,),
            (3,),
        ]


def test_min_connections_are_opened_ahead(postgres_settings, until):
    with DatabaseConnections() as db:
        postgres = db.initialize_postgres(**postgres_settings, min_connections=3)
        postgres.execute("SELECT 1")
        until("three idle connections", lambda: postgres.snapshot()["idle"] == 3)


def test_idle_connections_above_the_minimum_are_closed(postgres_settings):
    with DatabaseConnections() as db:
        postgres = db.initialize_postgres(**postgres_settings, max_connections=5, max_idle=0.05)
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(postgres.connection())
        assert postgres.snapshot()["idle"] == 5
        time.sleep(0.1)
        postgres.execute("SELECT 1")
        assert postgres.snapshot()["idle"] == 1


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"max_connections": 0}, "max_connections must be a whole number of at least 1, not 0"),
        (
            {"min_connections": 3, "max_connections": 2},
            "min_connections must be a whole number from 0 to 2, not 3",
        ),
        ({"timeout": 0}, "timeout must be a number above 0, not 0"),
    ],
)
def test_a_size_out_of_range_is_refused_where_it_is_given(arguments, refusal):
    with DatabaseConnections() as db, pytest.raises(ValueError, match=refusal):
        db.initialize_postgres(host="h", **arguments)
