# mypy: disable-error-code="arg-type, assignment, attr-defined, dict-item, index, misc, possibly-undefined, redundant-expr, union-attr, unreachable, var-annotated"
"""PostgreSQL, killed and restarted, exhausted, cancelled, forked, drained."""

import asyncio
import datetime as dt
import decimal
import enum
import gc
import json
import logging
import math
import os
import signal
import threading
import time
import uuid
import warnings

import numpy as np
import pandas as pd
import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.db import (
    AsyncDatabaseConnections,
    BadRow,
    DatabaseConnections,
    OutcomeUnknown,
    PoolClosed,
    PoolExhausted,
    Unavailable,
    embedded,
)


@pytest.fixture
def db(postgres_settings):
    with DatabaseConnections.from_settings(postgres_settings) as db:
        db.initialize_postgres(max_connections=4, timeout=2)
        yield db


@pytest.fixture
def table(db):
    name = f"t_{uuid.uuid4().hex[:8]}"
    db.postgres.execute(f"CREATE TABLE {name} (n int PRIMARY KEY, s text)")
    yield name
    db.postgres.execute(f"DROP TABLE {name}")


def rows_of(db, table):
    return sorted(n for (n,) in db.postgres.execute(f"SELECT n FROM {table}"))


# Transactions


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


# Restarts


def test_ten_idle_connections_survive_a_restart():
    with embedded.postgres() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.initialize_postgres(max_connections=10, timeout=5)
        holders = [db.get_postgres_connection() for _ in range(10)]
        for holder in holders:
            holder.__enter__()
        for holder in holders:
            holder.__exit__(None, None, None)
        assert db.postgres.snapshot()["idle"] == 10
        store.restart()
        for _ in range(30):
            assert db.postgres.execute("SELECT 1") == [(1,)]
        assert db.postgres.snapshot()["lost"] == 10


def hammer(action, *, threads, stop):
    """Calls from many threads until told to stop; returns (time, error or None) of each call."""
    calls = []

    def run():
        while not stop.is_set():
            started = time.monotonic()
            try:
                action()
            except Exception as error:
                calls.append((started, time.monotonic(), error))
            else:
                calls.append((started, time.monotonic(), None))

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    return workers, calls


def test_a_restart_under_load_fails_at_most_the_calls_in_flight():
    with embedded.postgres() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.initialize_postgres(max_connections=4, timeout=10)
        stop = threading.Event()
        workers, calls = hammer(
            lambda: db.postgres.execute("SELECT pg_sleep(0.002)"), threads=4, stop=stop
        )
        time.sleep(0.3)
        store.kill()
        time.sleep(0.7)
        store.start()
        back = time.monotonic()
        while not any(end > back and error is None for _s, end, error in list(calls)):
            time.sleep(0.005)
        time.sleep(0.3)
        stop.set()
        for worker in workers:
            worker.join()
        errors = [error for *_, error in calls if error is not None]
        assert len(errors) <= 4
        assert all(isinstance(error, Unavailable) for error in errors)
        assert all(error is None for start, _end, error in calls if start > back)


def test_a_server_lost_while_committing_is_an_unknown_outcome(db):
    with pytest.raises(OutcomeUnknown) as caught, db.get_postgres_connection() as connection:
        connection.execute("SELECT 1")
        # The server hangs up exactly when the commit is asked for.
        os.close(os.dup(connection.pgconn.socket))
        pid = connection.info.backend_pid
        db.postgres.execute("SELECT pg_terminate_backend(%s)", [pid])
    assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    assert db.postgres.execute("SELECT 1") == [(1,)]


def test_a_server_that_is_away_is_unavailable_in_time():
    with embedded.postgres() as store, DatabaseConnections() as db:
        db.initialize_postgres(**store.settings, timeout=0.3)
        db.postgres.execute("SELECT 1")
        store.shutdown()
        with pytest.raises(Unavailable):
            db.postgres.execute("SELECT 1")
        store.start()
        assert db.postgres.execute("SELECT 1") == [(1,)]


def test_a_frozen_server_does_not_hold_up_a_ping():
    with embedded.postgres() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.postgres.ping()
        store.pause()
        started = time.monotonic()
        with pytest.raises(Unavailable):
            db.postgres.ping(0.2)
        waited = time.monotonic() - started
        store.resume()
        assert 0.2 <= waited < 5
        assert db.postgres.ping() < 5


def test_a_wrong_password_is_said_at_once_and_not_repeated(postgres_settings):
    with DatabaseConnections() as db:
        db.initialize_postgres(**{**postgres_settings, "password": "s3cret-wrong"}, timeout=60)
        with pytest.raises(Unavailable) as caught:
            db.postgres.execute("SELECT 1")
    assert caught.value.lasting
    text = shown(caught.value)
    assert "s3cret-wrong" not in text


def shown(error):
    """Everything that a report with locals would show of an error and its causes."""
    import traceback

    lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    text = "".join(lines) + repr(error) + str(vars(error))
    for cause in (error.__cause__, error.__context__):
        if cause is not None:
            text += repr(vars(cause)) + repr(cause)
            assert getattr(cause, "pgconn", None) is None
    return text


# Exhaustion, leaks, cancellation, forks, drain


def test_exhaustion_names_the_holders(db):
    held = [db.get_postgres_connection() for _ in range(4)]
    for one in held:
        one.__enter__()
    started = time.monotonic()
    with pytest.raises(PoolExhausted) as caught:
        db.get_postgres_connection(timeout=0.1).__enter__()
    assert 0.1 <= time.monotonic() - started < 2
    error = caught.value
    assert (error.pool, error.in_use, len(error.holders)) == ("default", 4, 4)
    assert all("test_db_postgres.py:" in holder for holder in error.holders)
    for one in held:
        one.__exit__(None, None, None)
    assert db.postgres.snapshot()["exhausted"] == 1
    assert db.postgres.execute("SELECT 1") == [(1,)]


def test_waiting_is_first_come_first_served(db):
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
        while db.postgres.snapshot()["waiting"] != n + 1:
            time.sleep(0.001)
    held[0].__exit__(None, None, None)
    for thread in threads:
        thread.join()
    for one in held[1:]:
        one.__exit__(None, None, None)
    assert order == list(range(5))


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


# A program of its own: what forks must have no other threads.
FORKS = """
import json, os, sys
from shared.db import DatabaseConnections
settings, table = json.loads(sys.argv[1]), sys.argv[2]
with DatabaseConnections() as db:
    db.initialize_postgres(**settings, max_connections=4)
    backend = lambda: db.postgres.execute("SELECT pg_backend_pid()")[0][0]
    mine = backend()
    with db.get_postgres_connection() as held:
        child = os.fork()
        if child == 0:
            pids = {backend() for _ in range(3)}
            print(len(pids), mine in pids, flush=True)
            db.close_all()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        held.execute(f"INSERT INTO {table} VALUES (1)")
    print(backend() == mine, db.snapshot()["postgres"]["opened"])
"""


def test_a_forked_child_uses_no_socket_of_its_parent(db, table, postgres_settings, python):
    out, err = python(FORKS, json.dumps(dict(postgres_settings)), table).communicate()
    assert out.split("\n") == ["1 False", "True 1", ""], err
    assert rows_of(db, table) == [1]


# Leaves its parent's blocks by an exception and by their ends, and closes everything.
LEAVES = """
import json, os, sys
from shared.db import DatabaseConnections
settings, table = json.loads(sys.argv[1]), sys.argv[2]
with DatabaseConnections() as db:
    db.initialize_postgres(**settings)
    child = None
    try:
        with db.get_postgres_connection() as held:
            held.execute(f"INSERT INTO {table} VALUES (1)")
            child = os.fork()
            if child == 0 and sys.argv[3] == "raises":
                raise SystemExit(7)
            if child:
                assert os.waitpid(child, 0)[1] >> 8 == 7
            held.execute(f"INSERT INTO {table} VALUES (2)") if child else None
    finally:
        if child:
            print(db.postgres.snapshot()["opened"])
    if child == 0:
        db.postgres.execute(f"INSERT INTO {table} VALUES (3)")
sys.exit(7 if child == 0 else 0)
"""


@pytest.mark.parametrize("how", ["raises", "goes on"])
def test_a_child_that_leaves_its_parents_block_changes_nothing(
    db, table, postgres_settings, python, how
):
    settings = json.dumps(dict(postgres_settings))
    out, err = python(LEAVES, settings, table, how).communicate()
    assert out == "1\n", err
    assert rows_of(db, table) == ([1, 2] if how == "raises" else [1, 2, 3])


def test_close_drains_then_cancels_and_counts(postgres_settings):
    db = DatabaseConnections.from_settings(postgres_settings)
    db.initialize_postgres(max_connections=4)
    results = {}

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
    while db.postgres.snapshot()["in_use"] != 3:
        time.sleep(0.005)
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


def test_min_connections_are_opened_and_idle_ones_closed(postgres_settings):
    with DatabaseConnections() as db:
        postgres = db.initialize_postgres(
            **postgres_settings, min_connections=3, max_connections=5, max_idle=0.05
        )
        postgres.execute("SELECT 1")
        deadline = time.monotonic() + 10
        while postgres.snapshot()["idle"] < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert postgres.snapshot()["idle"] == 3


def test_pgbouncer_turns_prepared_statements_off(postgres_settings):
    with DatabaseConnections() as db:
        db.initialize_postgres(name="bounced", **postgres_settings, pgbouncer=True)
        with db.get_postgres_connection(name="bounced") as connection:
            for _ in range(10):
                connection.execute("SELECT %s::int", [1])
            assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (
                0,
            )


# COPY


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


@pytest.fixture
def wide(db):
    db.postgres.execute(
        "DROP TABLE IF EXISTS wide; DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('good', 'bad')"
    )
    db.postgres.execute(
        "CREATE TABLE wide (i int, b bigint, f float8, r real, n numeric, t text, y bytea, at timestamptz,"
        " d date, a int[], s text[], m mood, j jsonb, u uuid, o bool)"
    )
    yield "wide"
    db.postgres.execute("DROP TABLE wide; DROP TYPE mood")


def test_every_type_makes_the_round_trip(db, wide):
    now = dt.datetime(
        2024, 2, 29, 23, 59, 59, 123456, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=45))
    )
    rows = [
        (1, -(2**63), 0.1, 0.5, decimal.Decimal("1.2300"), "ünïcode 🎉\n\t\\", b"\0\xff", now, now.date(),
         [1, None, 3], ["a", None, '"'], "good", {"a": [1, None, "ü"]}, uuid.uuid4(), True),
        (None,) * 15,
        (-(2**31), 2**63 - 1, math.inf, -math.inf, decimal.Decimal("NaN"), "", b"", now, now.date(),
         [], [], Mood.BAD, [], uuid.uuid4(), False),
        (0, 0, math.nan, math.nan, 7, "x", memoryview(b"abc"), now, now.date(), [1], ["x"], "bad", "text", uuid.uuid4(), False),
        (0, 0, 1, 2, 0.25, "x", b"", now, now.date(), [1], ["x"], "bad", 5, uuid.uuid4(), False),
    ]  # fmt: skip
    assert db.postgres.copy_rows(wide, iter(rows)) == 5
    got = db.postgres.execute("SELECT * FROM wide")
    assert got[0] == rows[0]
    assert got[1] == rows[1]
    assert got[2][:4] == rows[2][:4]
    assert got[2][4].is_nan()
    assert got[2][11] == "bad"
    assert math.isnan(got[3][2])
    assert math.isnan(got[3][3])
    assert (got[3][4], got[3][6], got[3][12]) == (7, b"abc", "text")
    assert got[4][2:5] == (1.0, 2.0, decimal.Decimal("0.25"))


@pytest.mark.parametrize(
    ("columns", "bad", "says"),
    [
        (["t"], ("a\0b",), "NUL"),
        (["i"], ("x",), "integer"),
        (["i"], (2**31,), "out of range"),
        (["i"], (-(2**31) - 1,), "out of range"),
        (["b"], (2**63,), "big|range"),
        (["r"], (1e39,), "out of range"),
        (["i", "t"], (1,), "2"),
        (["i"], 5, "sequence or a mapping"),
        (["m"], ("nice",), "enum"),
        (["n"], ("abc",), "column n cannot hold this str"),
        (["a"], ([1, 2**31],), "column a cannot hold this list: .*out of range"),
        (["u"], ("nope",), "column u cannot hold this str"),
        (["at"], (dt.datetime(2024, 1, 1),), "column at cannot hold this datetime"),
        (["j"], ({"a": "\0"},), "NUL"),
    ],
)
@pytest.mark.parametrize("before", [0, 3, 2500])
def test_a_bad_row_names_its_number_and_nothing_is_written(db, wide, columns, bad, says, before):
    good = {"t": "x", "i": 1, "b": 1, "r": 1.0, "m": "good", "n": 1, "a": [1], "j": {}}
    good |= {"u": uuid.uuid4(), "at": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}
    rows = [tuple(good[name] for name in columns)] * before + [bad]
    with pytest.raises(BadRow, match=f"row {before + 1}: .*({says})") as caught:
        db.postgres.copy_rows(wide, rows + rows[:1], columns)
    assert caught.value.row == before + 1
    assert caught.value.__cause__ is not None
    assert db.postgres.execute("SELECT count(*) FROM wide") == [(0,)]


def test_copy_takes_mappings_generators_and_quoted_names(db):
    db.postgres.execute(
        'CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema"."T able" ("a;b" int, "select" text)'
    )
    try:
        rows = ({"select": str(n), "a;b": n} for n in range(10))
        assert db.postgres.copy_rows("My Schema.T able", rows) == 10
        assert db.postgres.execute('SELECT sum("a;b") FROM "My Schema"."T able"') == [(45,)]
        with pytest.raises(ValueError, match="no column nope"):
            db.postgres.copy_rows("My Schema.T able", [(1,)], ["nope"])
        with pytest.raises(ValueError, match="does not exist"):
            db.postgres.copy_rows("x; DROP TABLE y", [(1,)])
    finally:
        db.postgres.execute('DROP SCHEMA "My Schema" CASCADE')


def test_identities_are_left_out_and_other_types_go_as_text(db):
    db.postgres.execute(
        "CREATE TYPE pair AS (a int, b int); CREATE TABLE other (id int GENERATED ALWAYS AS IDENTITY, p pair, x int)"
    )
    try:
        db.postgres.copy_rows("other", [("(1,2)", 5), (None, None)])
        assert db.postgres.execute("SELECT id, (p).b, x FROM other ORDER BY id") == [
            (1, 2, 5),
            (2, None, None),
        ]
    finally:
        db.postgres.execute("DROP TABLE other; DROP TYPE pair")


def test_what_other_libraries_and_types_give(db, wide):
    mine = uuid.uuid4()
    db.postgres.execute(
        "ALTER TABLE wide ADD c char(3), ADD ms mood[], ADD us uuid[], ADD small smallint[]"
    )
    rows = [
        (mine, (1, 2), "EUR", [Mood.GOOD, None], [str(mine)], np.array([[1, 2], [3, 4]])),
        (str(mine), np.array([3]), "x", ["bad"], (mine,), []),
    ]
    columns = ["u", "a", "c", "ms", "us", "small"]
    for text in (False, True):
        if text:  # a type that psycopg cannot write in binary: all goes as text
            columns.append("p")
            db.postgres.execute("ALTER TABLE wide ADD p point")
            rows = [(*row, "(1,2)") for row in rows]
        assert db.postgres.copy_rows(wide, rows, columns) == 2
        assert db.postgres.execute("SELECT u, a, c, ms::text[], us, small FROM wide") == [
            (mine, [1, 2], "EUR", ["good", None], [mine], [[1, 2], [3, 4]]),
            (mine, [3], "x  ", ["bad"], [mine], []),
        ]
        db.postgres.execute("TRUNCATE wide")


def test_whole_reals_of_a_frame_fit_integers(db, wide):
    frame = pd.DataFrame({"i": [1, None], "b": [2.0**40, -1.0], "f": [1, None]})
    assert db.postgres.copy_frame(wide, frame) == 2
    rows = db.postgres.execute("SELECT i, b, f FROM wide")
    assert rows == [(1, 2**40, 1.0), (None, -1, None)]
    with pytest.raises(BadRow, match=r"row 2: column i cannot hold this float"):
        db.postgres.copy_frame(wide, pd.DataFrame({"i": [1, 0.5]}))


def test_frames(db, wide):
    at = pd.to_datetime(["2024-01-01T00:00:00.123456Z", None])
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype="Int64"),
            "f": [1.5, float("nan")],
            "t": ["x", None],
            "at": at,
            "m": pd.Categorical(["good", "bad"]),
            "a": [[1, 2], None],
        }
    )
    assert db.postgres.copy_frame(wide, frame) == 2
    assert db.postgres.execute("SELECT i, f, t, at, m, a FROM wide") == [
        (
            1,
            1.5,
            "x",
            dt.datetime(2024, 1, 1, 0, 0, 0, 123456, tzinfo=dt.UTC),
            "good",
            [1, 2],
        ),
        (None, None, None, None, "bad", None),
    ]
    db.postgres.execute("TRUNCATE wide")
    other = pl.DataFrame({"f": [math.nan, None, math.inf], "s": [["a"], None, []]})
    assert db.postgres.copy_frame(wide, other) == 3
    (first, second, third) = db.postgres.execute("SELECT f, s FROM wide")
    assert math.isnan(first[0])
    assert (first[1], second, third) == (["a"], (None, None), (math.inf, []))
    with pytest.raises(TypeError, match="list"):
        db.postgres.copy_frame(wide, [1])


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**31), 2**31 - 1),
            st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=5),
            st.none() | st.binary(),
            st.none() | st.lists(st.none() | st.integers(-5, 5)),
        ),
        max_size=20,
    )
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_copied_is_what_is_read(db, wide, rows):
    db.postgres.execute("TRUNCATE wide")
    db.postgres.copy_rows(wide, rows, ["i", "t", "f", "n", "y", "a"])
    assert db.postgres.execute("SELECT i, t, f, n, y, a FROM wide") == rows


# Locks


def test_an_advisory_lock_frees_when_its_connection_dies(db):
    with db.postgres.advisory_lock("job"):
        with pytest.raises(TimeoutError), db.postgres.advisory_lock("job", timeout=0.05):
            pass
        db.postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE locktype = 'advisory' AND application_name = current_setting('application_name')"
        )
        with db.postgres.advisory_lock("job", timeout=2):
            pass


def test_a_lock_that_fails_on_the_way_leaves_nothing(db, postgres_settings):
    options = postgres_settings["options"] + " -c default_transaction_read_only=on"
    db.initialize_postgres(name="reader", **{**postgres_settings, "options": options})
    with (
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
        db.lock("half", backend="postgres", store="reader"),
    ):
        pass
    assert db.get_postgres("reader").snapshot()["in_use"] == 0
    with db.lock("half", backend="postgres", timeout=5):
        pass


def test_the_first_locks_of_a_database_may_come_together(db, postgres_settings):
    errors = []

    def work(name, barrier):
        barrier.wait()
        try:
            with db.lock(name, backend="postgres", store="many"):
                pass
        except Exception as error:
            errors.append(error)

    db.initialize_postgres(name="many", **postgres_settings, min_connections=8, max_connections=8)
    for _ in range(10):
        db.postgres.execute("DROP TABLE IF EXISTS shared_db_locks")
        barrier = threading.Barrier(8)
        threads = [threading.Thread(target=work, args=(f"{n}", barrier)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors


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
