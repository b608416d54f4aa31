"""PostgreSQL's advisory locks."""

import threading

import psycopg
import pytest


@pytest.fixture
def db(postgres_db):
    return postgres_db


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
