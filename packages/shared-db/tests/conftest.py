# ruff: noqa: F811 - fixtures are requested by their names
"""Real stores for the tests: embedded ones, or those that SHARED_DB_TEST_*_URL name.

A server that is not ours may hold data that is still needed: the tests keep to their own schema,
database and collections, and to numbered databases of Redis that were empty.
"""

import subprocess
import sys
import time
import uuid

import pytest

from shared.db import DatabaseConnections
from shared.db.testing import (  # noqa: F401 - fixtures
    clickhouse_store,
    database_connections,
    fault_proxy,
    postgres_store,
    qdrant_store,
    redis_store,
)

OURS = f"shared_db_test_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def python(tmp_path):
    """Runs a script in its own interpreter; returns the started process."""
    started: list[subprocess.Popen[str]] = []

    def run(script, *arguments, **options):
        path = tmp_path / f"script{len(started)}.py"
        path.write_text(script)
        process = subprocess.Popen(
            [sys.executable, str(path), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def until():
    """Waits until a condition holds; fails with what it waited for."""

    def wait(what, condition, within=20.0):
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
            time.sleep(0.002)

    return wait


@pytest.fixture(scope="session")
def postgres_settings(postgres_store):
    """With our own schema, and a name that marks our connections."""
    with DatabaseConnections.from_settings(postgres_store.settings) as db:
        db.postgres.execute(f"CREATE SCHEMA {OURS}")
        ours = {"options": f"-c search_path={OURS}", "application_name": OURS}
        yield postgres_store.settings | ours
        db.postgres.execute(f"DROP SCHEMA {OURS} CASCADE")


@pytest.fixture(scope="session")
def clickhouse_settings(clickhouse_store):
    """With our own database."""
    with DatabaseConnections.from_settings(clickhouse_store.settings) as db:
        db.clickhouse.command(f"CREATE DATABASE {OURS}")
        yield clickhouse_store.settings | {"database": OURS}
        db.clickhouse.command(f"DROP DATABASE {OURS}")


@pytest.fixture(scope="session")
def empty_databases(redis_store):
    """The numbers of two databases that are not in use."""
    numbers = []
    for number in range(16):
        with DatabaseConnections() as db:
            db.initialize_redis(**(redis_store.settings | {"database": number}))
            if db.redis.dbsize() == 0:
                numbers.append(number)
    if len(numbers) < 2:
        pytest.skip(f"{redis_store!r} has fewer than two empty databases among its first 16")
    return numbers[:2]


@pytest.fixture
def redis_settings(redis_store, empty_databases):
    settings = redis_store.settings | {"database": empty_databases[0]}
    yield settings
    for number in empty_databases:
        with DatabaseConnections() as db:
            db.initialize_redis(**(settings | {"database": number}))
            db.redis.flushdb()


@pytest.fixture
def qdrant_settings(qdrant_store):
    return qdrant_store.settings


@pytest.fixture
def first_call():
    """Makes a call to a store of any kind."""

    def ask(db, kind, name="default"):
        if kind == "postgres":
            return db.get_postgres(name).execute("SELECT 1")
        if kind == "redis":
            return db.get_redis_client(name).ping()
        if kind == "clickhouse":
            return db.get_clickhouse_client(name).command("SELECT 1")
        return db.get_qdrant_client(name).get_collections()

    return ask


@pytest.fixture
def postgres_db(postgres_settings):
    """A pool of at most four connections."""
    with DatabaseConnections.from_settings(postgres_settings) as db:
        db.initialize_postgres(max_connections=4, timeout=2)
        yield db


@pytest.fixture
def postgres_table(postgres_db):
    name = f"t_{uuid.uuid4().hex[:8]}"
    postgres_db.postgres.execute(f"CREATE TABLE {name} (n int PRIMARY KEY, s text)")
    yield name
    postgres_db.postgres.execute(f"DROP TABLE {name}")


@pytest.fixture
def redis_db(redis_settings):
    with DatabaseConnections.from_settings(redis_settings) as db:
        db.initialize_redis(timeout=2)
        yield db
