"""Blocks that commit or roll back, savepoints, pipelines and streams."""

import signal

import psycopg
import pytest

from shared.db import (
    DatabaseConnections,
)


def rows_of(db, table):
    return sorted(n for (n,) in db.postgres.execute(f"SELECT n FROM {table}"))


def test_a_block_commits_and_an_exception_rolls_back_and_is_raised_itself(db, table):
    with db.get_postgres_connection() as connection:
        connection.execute(f"INSERT INTO {table} VALUES (1)")
    mine = KeyError("mine")
    with pytest.raises(KeyError) as caught, db.get_postgres_cursor(commit=True) as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (2)")
        raise mine
    assert caught.value is mine
    with pytest.raises(psycopg.errors.UniqueViolation), db.get_postgres_cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (1)")
    with db.get_postgres_cursor(commit=False) as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (3)")
    with db.get_postgres_cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} VALUES (4)")
    assert rows_of(db, table) == [1, 4]


def test_an_inner_savepoint_fails_alone(db, table):
    with db.postgres.transaction() as outer:
        outer.execute(f"INSERT INTO {table} VALUES (1)")
        with pytest.raises(ZeroDivisionError), db.postgres.transaction("inner") as inner:
            inner.execute(f"INSERT INTO {table} VALUES (2)")
            raise ZeroDivisionError
        with db.postgres.transaction() as inner:
            inner.execute(f"INSERT INTO {table} VALUES (3)")
    assert rows_of(db, table) == [1, 3]
    assert db.postgres.snapshot()["in_use"] == 0


def test_read_only_refuses_and_the_next_user_may_write(db, table):
    for _ in range(3):
        refused = pytest.raises(psycopg.errors.ReadOnlySqlTransaction)
        with refused, db.get_postgres_connection(read_only=True) as connection:
            connection.execute(f"INSERT INTO {table} VALUES (1)")
    with db.get_postgres_connection() as connection:
        connection.execute(f"INSERT INTO {table} VALUES (1)")
    assert rows_of(db, table) == [1]


def test_pipeline_and_stream(db, table):
    with db.postgres.pipeline() as pipeline:
        for n in range(100):
            pipeline.execute(f"INSERT INTO {table} VALUES (%s)", [n])
    assert [n for (n,) in db.postgres.stream(f"SELECT n FROM {table} ORDER BY n", size=7)] == list(
        range(100)
    )
    rows = db.postgres.stream(f"SELECT n FROM {table}", size=7)
    next(rows)
    rows.close()
    assert db.postgres.snapshot()["in_use"] == 0


def test_pgbouncer_turns_prepared_statements_off(postgres_settings):
    with DatabaseConnections() as db:
        db.initialize_postgres(name="bounced", **postgres_settings, pgbouncer=True)
        with db.get_postgres_connection(name="bounced") as connection:
            for _ in range(10):
                connection.execute("SELECT %s::int", [1])
            assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (
                0,
            )


def test_signals_do_not_disturb(db):
    seen = []
    old = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        for _ in range(5):
            assert db.postgres.execute("SELECT 1 FROM pg_sleep(0.03)") == [(1,)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert seen
