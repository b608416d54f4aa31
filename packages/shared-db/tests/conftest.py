# ruff: noqa: F811 - fixtures are asked for by their names
"""Real stores for the tests: embedded ones, or those that SHARED_DB_TEST_*_URL name."""

import subprocess
import sys

import pytest

from shared.db.testing import (  # noqa: F401 - fixtures
    clickhouse_store,
    database_connections,
    fault_proxy,
    postgres_store,
    qdrant_store,
    redis_store,
)


@pytest.fixture
def python(tmp_path):
    """Runs a script in an interpreter of its own; returns the started process."""
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
def postgres_settings(postgres_store):
    return postgres_store.settings


@pytest.fixture
def redis_settings(redis_store):
    return redis_store.settings


@pytest.fixture
def clickhouse_settings(clickhouse_store):
    return clickhouse_store.settings


@pytest.fixture
def qdrant_settings(qdrant_store):
    return qdrant_store.settings
