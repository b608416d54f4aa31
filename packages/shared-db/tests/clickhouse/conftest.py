"""One ClickHouse, plain and behind a fault proxy, with a table that remembers and one that forgets."""

import pytest

from shared.db import DatabaseConnections

PLAIN = "CREATE TABLE {} (p UInt8, n Int64, s String DEFAULT 'none') ENGINE = MergeTree ORDER BY n"
WINDOW = "SETTINGS non_replicated_deduplication_window = 1000"


@pytest.fixture
def db(clickhouse_settings):
    with DatabaseConnections.from_settings(clickhouse_settings) as db:
        yield db


@pytest.fixture
def proxied(clickhouse_store, clickhouse_settings, fault_proxy):
    proxy = fault_proxy(clickhouse_store)
    settings = {**clickhouse_settings, "host": proxy.host, "port": proxy.port}
    with DatabaseConnections() as db:
        db.initialize_clickhouse(**settings, timeout=2)
        db.clickhouse.command("SELECT 1")
        yield db, proxy


@pytest.fixture
def table(db, request):
    name = f"t_{abs(hash(request.node.name)) % 10**9}"
    db.clickhouse.command(f"{PLAIN.format(name)} {WINDOW}")
    yield name
    db.clickhouse.command(f"DROP TABLE {name}")


@pytest.fixture
def forgetful(db, request):
    name = f"f_{abs(hash(request.node.name)) % 10**9}"
    db.clickhouse.command(PLAIN.format(name))
    yield name
    db.clickhouse.command(f"DROP TABLE {name}")
