"""PostgreSQL, killed, restarted, frozen and away."""

import os
import threading
import time

import psycopg
import pytest

from shared.db import (
    DatabaseConnections,
    OutcomeUnknown,
    Unavailable,
    embedded,
)


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
    """Calls from many threads until told to stop; returns (start, end, error or None) of each."""
    calls: list[tuple[float, float, Exception | None]] = []

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


def test_a_restart_under_load_fails_at_most_the_calls_in_flight(until):
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
        until(
            "a call that succeeds after the start",
            lambda: any(end > back and error is None for _s, end, error in list(calls)),
        )
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
