"""Pools by name."""

from __future__ import annotations

import asyncio

import pytest

from shared.lifecycle import (
    ConnectionPoolConfig,
    PoolNotFound,
    ResourcePool,
    aclose_pools,
    ainitialize_pools,
    close_pools,
    get_pool,
    initialize_pools,
    pooled_resource,
    register_pool,
)


class Thing:
    pass


@pytest.fixture(autouse=True)
def _no_pool_left():
    yield
    close_pools()


def test_the_registry():
    pool = register_pool(
        ResourcePool("db", Thing, config=ConnectionPoolConfig(min_size=2, max_size=3))
    )
    assert register_pool(pool) is pool
    with pytest.raises(ValueError, match="'db' is registered already"):
        register_pool(ResourcePool("db", Thing))
    with pytest.raises(PoolNotFound, match=r"'cache'.*\['db'\]"):
        get_pool("cache")
    initialize_pools()
    assert pool.stats.idle == 2

    @pooled_resource("db")
    def work(thing, a, *, b):
        assert pool.stats.in_use == 1
        return isinstance(thing, Thing), a, b

    assert work(1, b=2) == (True, 1, 2)
    with pooled_resource("db") as thing:
        assert isinstance(thing, Thing)
    close_pools()
    assert pool.closed
    with pytest.raises(PoolNotFound):
        work(1, b=2)


async def test_the_registry_in_a_loop():
    async def create():
        return Thing()

    closed = []

    async def close(thing):
        closed.append(thing)

    register_pool(ResourcePool("db", create, close, config=ConnectionPoolConfig(min_size=1)))
    await ainitialize_pools()

    @pooled_resource("db")
    async def work(thing, a):
        await asyncio.sleep(0)
        return isinstance(thing, Thing), a

    assert await work(1) == (True, 1)
    async with pooled_resource("db") as thing:
        assert isinstance(thing, Thing)
    with pytest.raises(TypeError, match="aclose"):
        get_pool("db").close()
    await aclose_pools()
    assert closed == [thing]


def test_what_fails_to_open_is_named():
    def create():
        raise ConnectionRefusedError("down")

    register_pool(ResourcePool("db", create, config=ConnectionPoolConfig(min_size=1)))
    with pytest.raises(ConnectionRefusedError) as caught:
        initialize_pools()
    assert caught.value.__notes__ == ["while opening the pool 'db'"]


def test_pooled_resource_keeps_the_kind_of_a_method():
    register_pool(ResourcePool("db", Thing))

    class Service:
        @pooled_resource("db")
        def work(thing, self, a):
            return isinstance(thing, Thing), a

        @staticmethod
        @pooled_resource("db")
        async def later(thing, a):
            return isinstance(thing, Thing), a

    assert asyncio.run(Service.later(2)) == (True, 2)
    assert Service.work(Service(), 1) == (True, 1)
    with pytest.raises(TypeError, match="pooled_resource decorates callables, not 3"):
        pooled_resource("db")(3)  # type: ignore[arg-type]
