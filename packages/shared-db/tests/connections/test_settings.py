"""Stores described by settings, mappings, the environment, URLs and names."""

import asyncio

import pytest

from shared.config import load_settings
from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    NotConfigured,
    Unavailable,
    embedded,
)

SECRET = "pa@ss/w:rd#1"


def test_several_named_ones(redis_settings, empty_databases):
    with DatabaseConnections() as db:
        db.initialize_redis(**redis_settings)
        db.initialize_redis(name="other", **{**redis_settings, "database": empty_databases[1]})
        db.redis.set("where", 0)
        db.get_redis_client("other").set("where", 3)
        assert (db.redis.get("where"), db.get_redis_client("other").get("where")) == (b"0", b"3")
        assert set(db.ping()) == {"redis", "redis:other"}
        with pytest.raises(NotConfigured, match="reporting"):
            db.get_postgres("reporting")


SETTINGS = {
    "settings of shared.config": lambda store: load_settings(env=store.env, dotenv=None),
    "a mapping of variables": lambda store: store.env,
    "an embedded store's settings": lambda store: store.settings,
    "a list": lambda store: [store.settings],
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_what_describes_stores(kind, redis_store):
    with DatabaseConnections.from_settings(SETTINGS[kind](redis_store)) as db:
        assert db.redis.ping()


def test_the_environment_describes_stores(redis_store, monkeypatch):
    for name, value in redis_store.env.items():
        monkeypatch.setenv(name, value)
    with DatabaseConnections.from_env() as db:
        assert db.redis.ping()
    with DatabaseConnections() as db:
        db.initialize_redis()
        assert db.redis.ping()


def test_other_things_do_not_describe_stores():
    with pytest.raises(TypeError, match=r"settings must be settings of shared\.config, .*int"):
        DatabaseConnections.from_settings(5)


def test_a_getter_returns_the_store_and_a_client_getter_what_has_the_drivers_methods():
    with DatabaseConnections() as db:
        made = {
            kind: getattr(db, f"initialize_{kind}")(name="other", host="h", port=1)
            for kind in ("postgres", "clickhouse", "qdrant", "redis")
        }
        for kind, store in made.items():
            assert getattr(db, f"get_{kind}")("other") is store
        assert db.get_clickhouse_client("other") is made["clickhouse"]
        assert db.get_qdrant_client("other") is made["qdrant"]
        assert db.get_redis_client("other") is made["redis"].client


def test_required_stores(redis_settings):
    with DatabaseConnections.from_settings(redis_settings) as db:
        db.initialize_postgres(host="127.0.0.1", port=1, user="u", timeout=0.1)
        report = db.initialize_all_databases(required={"redis"}, timeout=1)
        assert (report["redis"].ok, report["postgres"].ok) == (True, False)
        assert report["postgres"].error
        with pytest.raises(Unavailable, match="postgres"):
            db.initialize_all_databases(required={"postgres"}, timeout=0.2)
        with pytest.raises(NotConfigured):
            db.initialize_all_databases(required={"qdrant"})


def test_options_of_a_url(redis_store, empty_databases):
    with DatabaseConnections() as db:
        url = redis_store.url.rpartition("/")[0]
        options = "socket_timeout=2.5&decode_responses=yes&max_connections=7&timeout=3"
        made = db.initialize_redis(url=f"{url}/{empty_databases[0]}?{options}")
        assert db.redis.echo("x") == "x"
        assert (made.timeout, made.max_connections) == (3.0, 7)
        assert db.redis.connection_pool.connection_kwargs["socket_timeout"] == 2.5
        with pytest.raises(ValueError, match="socket_timeout"):
            db.initialize_redis(name="bad", url=f"{url}?socket_timeout=soon")


def test_a_hard_password_survives_a_url():
    with embedded.postgres(password=SECRET) as store, DatabaseConnections() as db:
        db.initialize_postgres(
            url=f"postgresql://postgres:pa%40ss%2Fw%3Ard%231@{store.host}:{store.port}/postgres"
        )
        assert db.postgres.execute("SELECT 1") == [(1,)]
        with DatabaseConnections.from_env(store.env) as other:
            assert other.postgres.execute("SELECT 1") == [(1,)]


def test_all_four_at_once(database_connections):
    assert all(database_connections.ping().values())


async def test_two_loops_one_after_the_other(postgres_settings):
    def once():
        async def use():
            async with AsyncDatabaseConnections.from_settings(postgres_settings) as db:
                return await db.postgres.execute("SELECT 1")

        return asyncio.run(use())

    assert await asyncio.to_thread(once) == [(1,)]
    assert await asyncio.to_thread(once) == [(1,)]
