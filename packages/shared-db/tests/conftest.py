"""Real stores for the tests: embedded ones, or those that SHARED_DB_TEST_*_URL name."""

import subprocess
import sys

import pytest

from shared.db import embedded


@pytest.fixture(scope="session")
def postgres_store():
    with embedded.postgres() as store:
        yield store


@pytest.fixture(scope="session")
def redis_store():
    with embedded.redis() as store:
        yield store


@pytest.fixture(scope="session")
def clickhouse_store():
    with embedded.clickhouse() as store:
        yield store


@pytest.fixture(scope="session")
def qdrant_store():
    with embedded.qdrant() as store:
        yield store


@pytest.fixture
def python(tmp_path):
    """Runs a script in an interpreter of its own; returns the started process."""
    started = []

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
