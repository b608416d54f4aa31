"""The driver's client, with lost answers told apart."""

import asyncio
from typing import Any

import pytest
import redis

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    OutcomeUnknown,
    PoolClosed,
    PoolExhausted,
    Unavailable,
)


def test_the_client_is_the_drivers(db):
    assert isinstance(db.redis, redis.Redis)
    db.redis.hset("h", mapping={"a": 1})
    with db.redis.pipeline() as pipe:
        pipe.incr("n")
        pipe.incr("n")
        assert pipe.execute() == [1, 2]
    subscriber = db.redis.pubsub()
    subscriber.subscribe("c")
    assert subscriber.get_message(timeout=1)["type"] == "subscribe"
    db.redis.publish("c", "x")
    assert subscriber.get_message(timeout=1)["data"] == b"x"
    subscriber.close()
    script = db.redis.register_script("return ARGV[1]")
    assert script(args=["y"]) == b"y"


def test_a_command_that_counts_never_runs_twice(proxied):
    db, proxy = proxied
    db.redis.set("n", 0)
    for n in range(1, 6):
        proxy.lose_reply()
        with pytest.raises(OutcomeUnknown) as caught:
            db.redis.incr("n")
        assert isinstance(caught.value.__cause__, redis.ConnectionError)
        assert db.redis.get("n") == str(n).encode()
    proxy.lose_reply()
    with pytest.raises(OutcomeUnknown), db.redis.pipeline() as pipe:
        pipe.incr("n").incr("n").execute()
    assert db.redis.get("n") == b"7"


def test_a_command_that_reads_is_asked_again(proxied):
    db, proxy = proxied
    db.redis.set("k", "v")
    for _ in range(5):
        proxy.lose_reply()
        assert db.redis.get("k") == b"v"
    proxy.lose_reply()
    assert db.redis.set("k", "w") is True
    proxy.cut()
    assert db.redis.incr("n") == 1


async def test_the_same_holds_for_tasks(redis_store, redis_settings, fault_proxy):
    proxy = fault_proxy(redis_store)
    async with AsyncDatabaseConnections() as db:
        db.initialize_redis(**{**redis_settings, "port": proxy.port, "host": proxy.host}, timeout=1)
        await db.redis.set("n", 0)
        proxy.lose_reply()
        with pytest.raises(OutcomeUnknown):
            await db.redis.incr("n")
        proxy.lose_reply()
        assert await db.redis.get("n") == b"1"
        async with db.redis.pipeline() as pipe:
            pipe.incr("n")
            assert await pipe.execute() == [2]
        redis: Any = db.redis
        task = asyncio.create_task(redis.blpop("nothing", timeout=0))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await db.redis.get("n") == b"2"
        assert db.snapshot()["redis"]["in_use"] == 0


async def test_what_was_published_is_not_taken_for_an_end(redis_settings):
    async with (
        AsyncDatabaseConnections.from_settings(redis_settings) as db,
        db.redis.pubsub() as subscriber,
    ):
        await subscriber.subscribe("c")
        assert (await subscriber.get_message(timeout=5))["type"] == "subscribe"
        for n in range(3):
            await db.redis.publish("c", n)
        await asyncio.sleep(0.05)
        got = [await subscriber.get_message(timeout=5) for _ in range(3)]
        assert [message["data"] for message in got] == [b"0", b"1", b"2"]


def test_exhaustion_and_close(redis_settings):
    db = DatabaseConnections()
    db.initialize_redis(**redis_settings, max_connections=2, timeout=0.1)
    held = [db.redis.connection_pool.get_connection() for _ in range(2)]
    with pytest.raises(PoolExhausted):
        db.redis.get("k")
    with pytest.raises(PoolExhausted), db.redis.pipeline() as pipe:
        pipe.incr("n")
        pipe.execute()
    for one in held:
        db.redis.connection_pool.release(one)
    db.redis.get("k")
    assert db.close_all().cancelled == 0
    with pytest.raises(PoolClosed):
        _ = db.redis


def test_a_wrong_password_shows_no_secret(redis_settings):
    with DatabaseConnections() as db:
        db.initialize_redis(**{**redis_settings, "password": "s3cret-wrong"})
        with pytest.raises(Unavailable) as caught:
            db.redis.get("k")
    assert caught.value.lasting
    assert "s3cret-wrong" not in str(caught.value) + repr(caught.value.__cause__)


async def test_a_cancellation_that_comes_with_the_answer_is_not_swallowed(redis_settings):
    async with AsyncDatabaseConnections.from_settings(redis_settings) as db:
        redis: Any = db.redis
        await redis.set("k", "v")
        cancelled = 0
        for step in range(1, 40):  # cancelled after one step of the loop, after two, ...
            task = asyncio.create_task(redis.get("k"))
            for _ in range(step):
                await asyncio.sleep(0)
            if task.done() or not task.cancel():
                break
            with pytest.raises(asyncio.CancelledError):
                await task
            cancelled += 1
        assert cancelled


def test_a_database_that_does_not_exist_is_a_lasting_refusal(redis_settings):
    with DatabaseConnections() as db:
        db.initialize_redis(**{**redis_settings, "database": 12345})
        with pytest.raises(Unavailable, match=r"refuses: .*out of range") as caught:
            db.redis.get("k")
        assert not db.ping()["redis"].ok
    assert caught.value.lasting
