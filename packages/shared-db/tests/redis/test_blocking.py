"""Commands that wait longer than the usual time for an answer, and subscriptions."""

import asyncio
import threading
import time
from typing import Any

import pytest

from shared.db import AsyncDatabaseConnections, DatabaseConnections, PoolExhausted, embedded

# What waits, and what ends the wait.
WAITS: dict[str, tuple[Any, Any]] = {
    "blpop": (lambda r: r.blpop("q", timeout=0), lambda r: r.rpush("q", "x")),
    "brpop, None": (lambda r: r.brpop("q"), lambda r: r.rpush("q", "x")),
    "blpop, longer": (lambda r: r.blpop(["q"], timeout=30), lambda r: r.rpush("q", "x")),
    "blmove": (lambda r: r.blmove("q", "p", 0), lambda r: r.rpush("q", "x")),
    "blmpop": (lambda r: r.blmpop(0, 1, "q", direction="LEFT"), lambda r: r.rpush("q", "x")),
    "bzpopmin": (lambda r: r.bzpopmin("z", timeout=0), lambda r: r.zadd("z", {"x": 1})),
    "xread": (lambda r: r.xread({"s": "$"}, block=0), lambda r: r.xadd("s", {"a": 1})),
    "xread, longer": (lambda r: r.xread({"s": "$"}, block=30_000), lambda r: r.xadd("s", {"a": 1})),
}


@pytest.mark.parametrize("what", WAITS)
def test_a_wait_is_not_cut_short(redis_settings, until, what):
    wait, end = WAITS[what]
    with DatabaseConnections() as db:
        db.initialize_redis(**redis_settings, socket_timeout=0.1)
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(wait(db.redis)))
        thread.start()
        until("a blocked client", lambda: db.redis.info("clients")["blocked_clients"])
        time.sleep(0.3)  # three times what an answer may take
        end(db.redis)
        thread.join(10)
        assert answers
        assert answers[0]
        assert db.redis.ping()
        assert db.redis.blpop("empty", timeout=1) is None


@pytest.mark.parametrize("what", WAITS)
async def test_the_same_holds_for_tasks(redis_settings, what):
    wait, end = WAITS[what]
    async with AsyncDatabaseConnections() as db:
        db.initialize_redis(**redis_settings, socket_timeout=0.1)
        redis: Any = db.redis
        task = asyncio.create_task(wait(redis))
        while not (await redis.info("clients"))["blocked_clients"]:  # noqa: ASYNC110 - the server knows it
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.3)
        await end(redis)
        assert await task
        assert await redis.ping()
        assert await redis.blpop("empty", timeout=1) is None


def test_a_subscription_goes_on_after_a_restart():
    with embedded.redis() as store, DatabaseConnections.from_settings(store.settings) as db:
        with db.redis.pubsub(ignore_subscribe_messages=True) as subscriber:
            subscriber.subscribe("c")
            subscriber.get_message(timeout=5)
            store.restart()
            subscriber.get_message(timeout=0.2)
            message = None
            for n in range(100):
                db.redis.publish("c", n)
                if message := subscriber.get_message(timeout=0.1):
                    break
            assert message is not None
            assert message["channel"] == b"c"
        assert db.redis.incr("n") == 1


async def test_the_same_holds_for_a_subscribed_task():
    with embedded.redis() as store:
        async with AsyncDatabaseConnections.from_settings(store.settings) as db:
            async with db.redis.pubsub(ignore_subscribe_messages=True) as subscriber:
                await subscriber.subscribe("c")
                got: asyncio.Queue[Any] = asyncio.Queue()

                async def listen():
                    async for message in subscriber.listen():
                        got.put_nowait(message)

                task = asyncio.create_task(listen())
                await asyncio.sleep(0.1)
                await asyncio.to_thread(store.restart)
                while got.empty():
                    await db.redis.publish("c", "x")
                    await asyncio.sleep(0.05)
                task.cancel()
                assert got.get_nowait()["data"] == b"x"
            assert await db.redis.incr("n") == 1


@pytest.mark.parametrize(("name", "pool"), [("default", "redis"), ("cache", "redis:cache")])
def test_an_exhausted_pool_names_its_store(redis_settings, name, pool):
    with DatabaseConnections() as db:
        store = db.initialize_redis(name=name, **redis_settings, max_connections=1, timeout=0.05)
        held = store.client.connection_pool.get_connection()
        with pytest.raises(PoolExhausted, match=f"pool '{pool}'") as caught:
            store.client.get("k")
        store.client.connection_pool.release(held)
    assert caught.value.pool == pool
