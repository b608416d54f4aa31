"""What a caller changed in a session is gone when the connection comes back."""

from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from shared.db import AsyncDatabaseConnections, DatabaseConnections

STATE = """
SELECT current_setting('search_path'), current_user = session_user, current_setting('TimeZone'),
    current_setting('default_transaction_read_only'), current_setting('transaction_isolation'),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
    (SELECT count(*) FROM pg_listening_channels()), to_regclass('pg_temp.mine') IS NULL
"""
CHANGES = {
    "search_path": "SET search_path = pg_catalog",
    "search_path after a comment": "/* why */ SET search_path = pg_catalog",
    "the second statement": "SELECT 1; SET TIME ZONE 'Asia/Tokyo'",
    "set_config": "SELECT set_config('search_path', 'pg_catalog', false)",
    "role": "SET ROLE pg_read_all_data",
    "read_only": "SET default_transaction_read_only = on",
    "a session lock": "SELECT pg_advisory_lock(77)",
    "a tried lock": "SELECT pg_try_advisory_lock_shared(77)",
    "a channel": "LISTEN news",
    "a temporary table": "CREATE TEMP TABLE mine (n int)",
    "a block": "DO $$ BEGIN PERFORM set_config('search_path', 'pg_catalog', false); END $$",
}


@pytest.fixture
def one(postgres_settings):
    """A pool of one connection."""
    with DatabaseConnections() as db:
        db.initialize_postgres(**postgres_settings, max_connections=1, timeout=2)
        yield db


def backend(db):
    return db.postgres.execute("SELECT pg_backend_pid()")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("how", ["text", "bytes", "composed"])
def test_what_a_statement_changed_is_undone(one, change, how):
    before, pid = one.postgres.execute(STATE), backend(one)
    text = CHANGES[change]
    query = {"text": text, "bytes": text.encode(), "composed": psycopg.sql.SQL(text)}[how]
    with one.get_postgres_connection() as connection:
        connection.execute(query)
        connection.commit()
        assert connection.execute(STATE).fetchone() != before[0]
    assert (one.postgres.execute(STATE), backend(one)) == (before, pid)


def attributes(connection):
    names = ("autocommit", "row_factory", "cursor_factory", "read_only", "isolation_level")
    return [getattr(connection, name) for name in (*names, "deferrable", "prepare_threshold")]


def test_what_was_set_on_the_connection_is_undone(one):
    with one.get_postgres_connection() as connection:
        before = attributes(connection)
        connection.autocommit = True
        connection.row_factory = dict_row
        connection.cursor_factory = psycopg.ClientCursor
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        connection.deferrable = True
        connection.prepare_threshold = None
    with one.get_postgres_connection() as again:
        assert again is connection
        assert attributes(again) == before
    assert one.postgres.execute("SELECT 1") == [(1,)]


def test_a_foreign_cursor_is_no_way_around(one):
    before = one.postgres.execute(STATE)
    with one.get_postgres_connection() as connection:
        connection.cursor_factory = psycopg.ClientCursor
        connection.execute("SET search_path = pg_catalog")
    assert one.postgres.execute(STATE) == before


def test_an_exception_resets_too(one):
    before = one.postgres.execute(STATE)
    with pytest.raises(KeyError), one.get_postgres_connection(autocommit=True) as connection:
        connection.execute("SET search_path = pg_catalog")
        raise KeyError
    assert one.postgres.execute(STATE) == before


def test_a_return_without_such_a_statement_makes_no_round_trip(one):
    with one.get_postgres_connection() as connection:
        connection.execute("UPDATE pg_class SET relname = relname WHERE false")
        connection.execute("SET LOCAL search_path = pg_catalog")
        assert not connection.shared_db_session.changed


@pytest.mark.parametrize("store", ["connection", "cursor", "execute"])
def test_autocommit_is_an_argument(one, table, store):
    statement = f"VACUUM {table}"
    if store == "connection":
        with one.get_postgres_connection(autocommit=True) as connection:
            connection.execute(statement)
    elif store == "cursor":
        with one.get_postgres_cursor(autocommit=True) as cursor:
            cursor.execute(statement)
    else:
        one.postgres.execute(statement, autocommit=True)
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        one.postgres.execute(statement)
    with pytest.raises(ValueError, match="autocommit must be False"):
        one.get_postgres_connection(autocommit=True, read_only=True)


def test_configure_and_reset(postgres_settings):
    seen = []

    def configure(connection):
        connection.row_factory = dict_row
        connection.execute("SET TIME ZONE 'Asia/Tokyo'")

    with DatabaseConnections() as db:
        db.initialize_postgres(
            **postgres_settings, max_connections=1, configure=configure, reset=seen.append
        )
        used = []
        for _ in range(3):
            with db.get_postgres_connection() as connection:
                used.append(connection)
                row = connection.execute("SELECT current_setting('TimeZone') AS zone").fetchone()
                assert row == {"zone": "Asia/Tokyo"}
                connection.execute("SET TIME ZONE 'UTC'")
                connection.row_factory = psycopg.rows.tuple_row
        assert seen == used
        with pytest.raises(ValueError, match="isolation"):
            db.postgres.transaction(isolation="none").__enter__()


def test_hooks_that_fail(postgres_settings, caplog):
    def fail(connection):
        raise KeyError("hook")

    with DatabaseConnections() as db:
        db.initialize_postgres(**postgres_settings, max_connections=1, configure=fail)
        with pytest.raises(KeyError, match="hook"):
            db.postgres.execute("SELECT 1")
        assert db.snapshot()["postgres"]["in_use"] == 0
        db.initialize_postgres(name="r", **postgres_settings, max_connections=1, reset=fail)
        pids = {db.get_postgres("r").execute("SELECT pg_backend_pid()")[0] for _ in range(2)}
        assert len(pids) == 2  # a connection that could not be reset is closed
        wrong: Any = 5
        with pytest.raises(TypeError, match="reset must be callable or None"):
            db.initialize_postgres(name="x", **postgres_settings, reset=wrong)
    assert "could not be reset" in caplog.text


async def test_the_same_holds_for_tasks(postgres_settings):
    async def configure(connection):
        await connection.execute("SET TIME ZONE 'Asia/Tokyo'")

    async with AsyncDatabaseConnections() as db:
        db.initialize_postgres(**postgres_settings, max_connections=1, configure=configure)
        before = await db.postgres.execute(STATE)
        assert before[0][2] == "Asia/Tokyo"
        async with db.get_postgres_connection(autocommit=True) as connection:
            await connection.execute("SET search_path = pg_catalog")
            await connection.execute("SELECT pg_advisory_lock(77)")
            connection.row_factory = dict_row
        assert await db.postgres.execute(STATE) == before
