"""Pools by name."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from shared.lifecycle import (
    ConnectionPool,
    ConnectionPoolConfig,
    PoolNotFound,
    PoolTimeout,
    ResourcePool,
    aclose_pools,
    ainitialize_pools,
    close_pools,
    get_pool,
    initialize_pools,
    pooled_resource,
    register_pool,
)
from shared.lifecycle._pool import registry


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
        def work(self, thing, a):
            return isinstance(self, Service), isinstance(thing, Thing), a

        def plain(self, thing, a):
            return isinstance(self, Service), isinstance(thing, Thing), a

        @pooled_resource("db")
        def resource_first(thing, self, a):
            return isinstance(self, Service), isinstance(thing, Thing), a

        @pooled_resource("db")
        async def work_async(self, thing, a):
            return isinstance(self, Service), isinstance(thing, Thing), a

        @pooled_resource("db")
        @classmethod
        def of_class(cls, thing, a):
            return cls is Service, isinstance(thing, Thing), a

        @classmethod
        @pooled_resource("db")
        def of_class_above(cls, thing, a):
            return cls is Service, isinstance(thing, Thing), a

        @staticmethod
        @pooled_resource("db")
        async def later(thing, a):
            return isinstance(thing, Thing), a

    assert asyncio.run(Service.later(2)) == (True, 2)
    everywhere = (True, True, 1)
    assert Service().work(1) == everywhere
    assert Service.work(Service(), 1) == everywhere
    assert Service.resource_first(Service(), 1) == everywhere
    assert asyncio.run(Service().work_async(1)) == everywhere
    assert Service.of_class(1) == everywhere  # type: ignore[call-arg]
    assert Service.of_class_above(1) == everywhere  # type: ignore[call-arg]
    bound = pooled_resource("db")(Service().plain)
    assert bound(1) == everywhere
    with pytest.raises(TypeError, match="pooled_resource decorates callables, not 3"):
        pooled_resource("db")(3)  # type: ignore[arg-type]


def test_a_generator_keeps_its_resource_to_its_end():
    pool = register_pool(ResourcePool("db", Thing))

    @pooled_resource("db")
    def rows(thing, n):
        received = []
        for _ in range(n):
            try:
                received.append((yield thing))
            except KeyError as error:
                received.append(error)
        return received

    one, two = rows(2), rows(2)
    assert next(one) is not next(two)
    assert pool.stats.in_use == 2
    two.close()
    assert pool.stats.in_use == 1
    one.throw(KeyError("thrown"))
    with pytest.raises(StopIteration) as end:
        one.send("sent")
    assert [str(x) for x in end.value.value] == ["'thrown'", "sent"]
    assert pool.stats.in_use == 0


async def test_an_async_generator_keeps_its_resource_to_its_end():
    pool = register_pool(ResourcePool("db", Thing))
    received = []

    class Service:
        @pooled_resource("db")
        async def rows(self, thing, n):
            for _ in range(n):
                try:
                    received.append((yield thing))
                except KeyError as error:
                    received.append(repr(error))

    one, two = Service().rows(2), Service().rows(2)
    assert await anext(one) is not await anext(two)
    assert pool.stats.in_use == 2
    await two.aclose()
    assert pool.stats.in_use == 1
    await one.athrow(KeyError("thrown"))
    with pytest.raises(StopAsyncIteration):
        await one.asend("sent")
    assert received == ["KeyError('thrown')", "sent"]
    assert pool.stats.in_use == 0


async def test_a_lambda_that_returns_a_coroutine_has_its_resource_while_it_is_awaited():
    pool = register_pool(ResourcePool("db", Thing))

    async def inner(thing):
        await asyncio.sleep(0)
        return thing, pool.stats.in_use

    thing, in_use = await pooled_resource("db")(lambda thing: inner(thing))()  # noqa: PLW0108 - a lambda is the point
    assert (isinstance(thing, Thing), in_use) == (True, 1)
    assert pool.stats.in_use == 0


async def test_the_short_names_can_be_awaited_for_sync_and_async_pools():
    closed = []

    async def create():
        return Thing()

    async def close(thing):
        closed.append(thing)

    config = ConnectionPoolConfig(min_size=1)
    one = register_pool(ResourcePool("one", create, close, config=config))
    two = register_pool(ResourcePool("two", Thing, closed.append, config=config))
    await initialize_pools()
    assert (one.stats.idle, two.stats.idle) == (1, 1)
    await close_pools()
    assert (len(closed), one.closed, two.closed) == (2, True, True)


def test_outside_a_loop_the_short_names_have_done_it_by_then():
    config = ConnectionPoolConfig(min_size=1)
    pool = register_pool(ResourcePool("one", Thing, config=config))
    done = initialize_pools()
    assert pool.stats.idle == 1

    async def wait():
        await done

    asyncio.run(wait())
    close_pools()
    assert pool.closed


@pytest.mark.parametrize("bad", [-1, float("nan"), "5"])
def test_a_wrong_time_is_refused_at_once(bad):
    pool = ResourcePool("one", Thing)
    for call in (
        pool.acquire,
        pool.close,
        close_pools,
        lambda timeout: pooled_resource("one", timeout),
        lambda timeout: ConnectionPoolConfig(timeout=timeout),
        lambda timeout: ConnectionPoolConfig(max_idle=timeout),
        lambda timeout: ConnectionPoolConfig(max_lifetime=timeout),
    ):
        with pytest.raises((ValueError, TypeError), match=r"must be a number.*, not"):
            call(bad)


@pytest.mark.parametrize("time", [float("inf"), 1e300, timedelta(days=1), 0])
async def test_other_times_are_served(time):
    config = ConnectionPoolConfig(
        timeout=time, max_idle=time or None, max_lifetime=time or None, max_size=1
    )
    pool = register_pool(ResourcePool("one", Thing, config=config))
    with pool.acquire(time), pytest.raises(PoolTimeout):
        pool.acquire(0).__enter__()
    async with pooled_resource("one", time):
        pass
    released = asyncio.Event()

    async def user():
        async with pool.acquire():
            await released.wait()

    task = asyncio.ensure_future(user())
    while not pool.stats.in_use:  # noqa: ASYNC110 - a thread makes it
        await asyncio.sleep(0)
    closing = asyncio.ensure_future(pool.aclose(time))
    await asyncio.sleep(0)
    released.set()
    await task
    assert await closing == (0 if time else 1)


def test_a_pool_of_generators_is_refused():
    def create():
        yield Thing()

    with pytest.raises(TypeError, match="create must be a function that returns, not one that"):
        ResourcePool(create)


def test_one_pool_in_two_loops_after_each_other():
    pool = register_pool(ResourcePool("one", Thing, config=ConnectionPoolConfig(max_size=1)))

    async def main():
        async def use():
            async with pooled_resource("one"):
                await asyncio.sleep(0)

        await asyncio.gather(use(), use())

        async def hold():
            async with pooled_resource("one"):
                await asyncio.sleep(3600)

        asyncio.ensure_future(hold())  # noqa: RUF006 - the end of the loop cancels it
        await asyncio.sleep(0)
        return asyncio.ensure_future(use())

    asyncio.run(main())
    asyncio.run(main())
    assert pool.stats.in_use == 0


def test_a_forked_child_gets_a_lock_of_its_own():
    with registry._lock:
        before = registry._lock
        registry._renew_lock()
        assert not registry._lock.locked()
        assert registry._lock is not before


def test_one_context_in_several_threads_returns_each_its_own():
    pool = register_pool(ResourcePool("db", Thing))
    shared = pooled_resource("db")
    inside, leave = threading.Event(), threading.Event()
    seen = []

    def other():
        with shared as thing:
            seen.append(thing)
            inside.set()
            leave.wait(60)
            seen.append(pool.acquire(0).__enter__())

    with shared as mine:
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(60)
    assert pool.stats.in_use == 1  # the other's, not mine
    leave.set()
    thread.join()
    assert seen[1] is mine
    assert seen[0] is not mine


async def test_one_context_in_several_tasks_returns_each_its_own():
    register_pool(ResourcePool("db", Thing))
    shared = pooled_resource("db")
    users: set[int] = set()

    async def use(turns):
        for _ in range(turns):
            async with shared as thing:
                assert id(thing) not in users
                users.add(id(thing))
                await asyncio.sleep(0)
                users.discard(id(thing))

    await asyncio.gather(*(use(n) for n in (3, 1, 2, 5)))


async def test_the_old_snippet():
    """A pool of the platform's own, as its documentation had it."""

    class Connection:
        closed = False

        async def is_valid(self):
            return not self.closed

        async def close(self):
            self.closed = True

        async def execute(self, query):
            return query

    class MyConnectionPool(ConnectionPool[Connection]):
        async def _create_connection(self):
            return Connection()

        async def _close_connection(self, connection):
            await connection.close()

        async def _validate_connection(self, connection):
            return await connection.is_valid()

        def _get_default_config(self):
            return ConnectionPoolConfig(min_size=5, max_size=20)

    pool = MyConnectionPool("my_pool")
    register_pool(pool)
    await initialize_pools()
    assert (pool.stats.idle, pool.stats.max_size) == (5, 20)

    async with pooled_resource("my_pool") as connection:
        assert await connection.execute("SELECT * FROM table") == "SELECT * FROM table"

    @pooled_resource("my_pool")
    async def my_function(connection, arg1, arg2):
        return await connection.execute("SELECT"), arg1, arg2

    assert await my_function(1, arg2=2) == ("SELECT", 1, 2)
    await close_pools()
    assert connection.closed
