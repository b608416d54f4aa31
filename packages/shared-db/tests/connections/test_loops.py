"""One set of connections in two event loops after each other."""

import asyncio

import pytest

from shared.db import AsyncDatabaseConnections


@pytest.mark.parametrize("kind", ["postgres", "clickhouse", "redis", "qdrant"])
def test_two_event_loops_after_each_other(request, kind):
    db = AsyncDatabaseConnections.from_settings(request.getfixturevalue(f"{kind}_settings"))
    calls = {
        "postgres": lambda: db.postgres.execute("SELECT 1"),
        "clickhouse": lambda: db.clickhouse.command("SELECT 1"),
        "redis": lambda: db.redis.ping(),  # noqa: PLW0108 - a store is made when it is used
        "qdrant": lambda: db.qdrant.get_collections(),  # noqa: PLW0108 - the same
    }

    async def work():
        answers = await asyncio.gather(*(calls[kind]() for _ in range(3)))
        assert all(answers)
        assert (await db.ping())[kind].ok
        if kind in {"postgres", "redis"}:
            async with db.lock("loops", backend=kind):
                pass

    for _ in range(3):
        asyncio.run(work())
    report = asyncio.run(db.close_all())
    assert report.cancelled == 0


def test_a_kept_client_of_redis_serves_both(redis_settings):
    db = AsyncDatabaseConnections.from_settings(redis_settings)
    client = db.redis

    async def work():
        async with client.pipeline() as pipe:
            pipe.incr("n")
            await pipe.execute()
        return await client.get("n")

    assert [asyncio.run(work()) for _ in range(2)] == [b"1", b"2"]
    asyncio.run(db.close_all())
