"""The pytest fixtures."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from .. import embedded
from .._sync.connections import DatabaseConnections
from ._proxy import FaultProxy
from ._stores import ServerStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    AnyStore = embedded.Store | ServerStore


def _store(kind: str) -> Iterator[AnyStore]:
    url = os.environ.get(f"SHARED_DB_TEST_{kind.upper()}_URL")
    if url:
        yield ServerStore(kind, url)
        return
    with getattr(embedded, kind)() as store:
        yield store


@pytest.fixture(scope="session")
def postgres_store() -> Iterator[AnyStore]:
    """Return a PostgreSQL for the session."""
    yield from _store("postgres")


@pytest.fixture(scope="session")
def redis_store() -> Iterator[AnyStore]:
    """Return a Redis for the session."""
    yield from _store("redis")


@pytest.fixture(scope="session")
def clickhouse_store() -> Iterator[AnyStore]:
    """Return a ClickHouse for the session."""
    yield from _store("clickhouse")


@pytest.fixture(scope="session")
def qdrant_store() -> Iterator[AnyStore]:
    """Return a Qdrant for the session."""
    yield from _store("qdrant")


@pytest.fixture
def database_connections(
    postgres_store: AnyStore,
    redis_store: AnyStore,
    clickhouse_store: AnyStore,
    qdrant_store: AnyStore,
) -> Iterator[DatabaseConnections]:
    """Return connections to all four, closed after the test."""
    stores = (postgres_store, redis_store, clickhouse_store, qdrant_store)
    with DatabaseConnections.from_settings([store.settings for store in stores]) as db:
        yield db


@pytest.fixture
def fault_proxy() -> Iterator[Callable[[AnyStore], FaultProxy]]:
    """Return a function that puts a `FaultProxy` before a store, stopped after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda store: stack.enter_context(FaultProxy(store.host, store.port))
