"""Stores that keep what they acknowledged and leave nothing behind."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import clickhouse_connect
import psycopg
import pytest
import redis
from qdrant_client import QdrantClient, models

from shared.db import Unavailable, embedded

START: dict[str, Any] = {
    "postgres": embedded.postgres,
    "redis": embedded.redis,
    "clickhouse": embedded.clickhouse,
    "qdrant": embedded.qdrant,
}


class Postgres:
    client: Any

    def __init__(self, store):
        self.client = psycopg.connect(store.url, autocommit=True)

    def prepare(self):
        self.client.execute("CREATE TABLE t (n int)")

    def write(self, n):
        self.client.execute("INSERT INTO t VALUES (%s)", [n])

    def rows(self):
        return {n for (n,) in self.client.execute("SELECT n FROM t")}

    def close(self):
        self.client.close()


class Redis(Postgres):
    def __init__(self, store):
        self.client = redis.Redis.from_url(store.url)

    def prepare(self):
        pass

    def write(self, n):
        self.client.sadd("t", n)

    def rows(self):
        return {int(n) for n in self.client.smembers("t")}


class ClickHouse(Postgres):
    def __init__(self, store):
        self.client = clickhouse_connect.get_client(dsn=store.url, autogenerate_session_id=False)

    def prepare(self):
        self.client.command("CREATE TABLE t (n Int64) ENGINE = MergeTree ORDER BY n")

    def write(self, n):
        self.client.insert("t", [[n]], ["n"])

    def rows(self):
        return {n for (n,) in self.client.query("SELECT n FROM t").result_rows}


class Qdrant(Postgres):
    def __init__(self, store):
        self.client = QdrantClient(url=store.url, check_compatibility=False)

    def prepare(self):
        config = models.VectorParams(size=2, distance=models.Distance.DOT)
        self.client.create_collection("t", vectors_config=config)

    def write(self, n):
        self.client.upsert("t", [models.PointStruct(id=n, vector=[n, 1.0])])

    def rows(self):
        return {point.id for point in self.client.scroll("t", limit=10_000)[0]}


CLIENT = {"postgres": Postgres, "redis": Redis, "clickhouse": ClickHouse, "qdrant": Qdrant}


@pytest.mark.parametrize("kind", START)
def test_what_was_acknowledged_survives_kills_and_a_new_start_elsewhere(kind, tmp_path):
    with START[kind](tmp_path) as store:
        client = CLIENT[kind](store)
        client.prepare()
        for n in range(1, 40):
            client.write(n)
        store.kill()
        assert not store.running
        client.close()
        port = store.port
        store.start()
        assert store.port == port
        client = CLIENT[kind](store)
        client.write(40)
        assert client.rows() == set(range(1, 41))
        client.close()
    with START[kind](data_dir=tmp_path) as store:
        client = CLIENT[kind](store)
        assert client.rows() == set(range(1, 41))
        client.close()


@pytest.mark.parametrize("kind", START)
def test_stop_leaves_nothing(kind, wait_gone):
    store = START[kind]()
    pid, home = store.pid, store.data_dir
    assert home.exists()
    store.stop()
    wait_gone(pid)
    assert not home.exists()
    assert store.pid is None
    store.stop()


def test_stop_after_shutdown_leaves_nothing():
    store = embedded.redis()
    store.shutdown()
    assert store.data_dir.exists()
    store.stop()
    assert not store.data_dir.exists()


def test_the_secret_shows_only_in_the_url():
    with embedded.redis() as store:
        secret = store.settings["password"]
        assert len(secret) > 16
        assert secret in store.url
        assert secret not in repr(store) + repr(store.settings) + str(store.settings)
        commands = b""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it has ended
                commands += path.read_bytes()
        assert secret.encode() not in commands
        assert b"valkey-server" in commands or sys.platform != "linux"


def test_wrong_passwords_are_refused(postgres_store, redis_store, clickhouse_store):
    with pytest.raises(psycopg.OperationalError):
        given = postgres_store.settings
        psycopg.connect(
            host=given["host"], port=given["port"], user=given["user"], password="wrong"
        )
    with (
        redis.Redis(redis_store.host, redis_store.port, password="wrong") as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
    with pytest.raises(clickhouse_connect.driver.exceptions.DatabaseError, match="516"):
        clickhouse_connect.get_client(
            host=clickhouse_store.host, port=clickhouse_store.port, password="wrong"
        )


def test_a_folder_in_use_is_refused(tmp_path):
    with embedded.redis(tmp_path), pytest.raises(Unavailable, match="in use by another"):
        embedded.redis(tmp_path, timeout=4)


def test_a_failing_start_says_why(tmp_path):
    with pytest.raises(Unavailable, match="no_such_setting"):
        embedded.postgres(tmp_path, options={"no_such_setting": 1}, timeout=20)


def test_a_failing_start_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(Unavailable):
        embedded.redis(options={"no-such-setting": 1}, timeout=5)
    assert not list(tmp_path.iterdir())


def test_options_and_a_given_port_are_obeyed():
    with embedded.postgres(options={"max_connections": 17}) as store:
        port = store.port
        with psycopg.connect(store.url) as connection:
            assert connection.execute("SHOW max_connections").fetchone() == ("17",)
    with embedded.postgres(port=port) as store:
        assert store.port == port
