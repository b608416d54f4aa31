"""The pool's promises one by one."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from shared.lifecycle import (
    ConnectionPool,
    ConnectionPoolConfig,
    PoolClosed,
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


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Thing:
    def __init__(self):
        self.alive = True
        self.closed = False

    def close(self):
        self.closed = True


@pytest.fixture(autouse=True)
def _no_pool_left():
    yield
    close_pools()


def test_exhaustion_waits_and_says_what_is_going_on():
    pool = ResourcePool("db", Thing, config=ConnectionPoolConfig(max_size=1, timeout=0.02))
    with pool.acquire():
        with pytest.raises(PoolTimeout, match=r"'db'.*1 of at most 1 in use") as caught:
            pool.acquire().__enter__()
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.in_use == 1
        assert caught.value.waited >= 0.02
    with pool.acquire(timeout=0):
        pass


async def test_the_longest_waiter_is_served_first():
    pool = ResourcePool("db", Thing, config=ConnectionPoolConfig(max_size=1))
    order = []

    async def user(i):
        async with pool.acquire():
            order.append(i)

    async with pool.acquire():
        users = [asyncio.ensure_future(user(i)) for i in range(5)]
        await asyncio.sleep(0)
        assert pool.stats.waiting == 5
    with pytest.raises(PoolTimeout):
        # Free at this moment, but promised: nobody overtakes.
        async with pool.acquire(timeout=0):
            pass
    await asyncio.gather(*users)
    assert order == [0, 1, 2, 3, 4]


async def test_a_waiter_cancelled_when_its_resource_is_on_the_way_passes_it_on():
    pool = ResourcePool("db", Thing, config=ConnectionPoolConfig(max_size=1))
    async with pool.acquire() as first:
        waiting = asyncio.ensure_future(pool.acquire().__aenter__())
        await asyncio.sleep(0)
    waiting.cancel()  # given already, but not yet awake
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert pool.stats.in_use == 0
    async with pool.acquire(timeout=0) as again:
        assert again is first


async def test_a_task_cancelled_while_a_thread_connects_leaks_nothing(eventually):
    begun, go = threading.Event(), threading.Event()

    def create():
        begun.set()
        go.wait(10)
        return Thing()

    pool = ResourcePool("db", create, config=ConnectionPoolConfig(max_size=1))
    task = asyncio.ensure_future(pool.acquire().__aenter__())
    await asyncio.to_thread(begun.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task  # at once: it does not wait for the thread
    assert pool.stats.size == 1
    go.set()
    async with pool.acquire():
        assert pool.stats.size == 1
    pool.close()


def test_a_dead_resource_is_replaced():
    made = []

    class Mine(ConnectionPool[Thing]):
        def _create_connection(self):
            made.append(Thing())
            return made[-1]

        def _validate_connection(self, connection):
            return connection.alive

        def _close_connection(self, connection):
            connection.closed = True

    pool = Mine("mine", ConnectionPoolConfig(max_size=3))
    with pool.connection(), pool.connection(), pool.connection():
        pass
    for thing in made:
        thing.alive = False
    with pool.connection() as fresh:
        assert fresh.alive
        assert pool.stats.size == 3 - 2  # every dead one is closed, not only the first
    assert [thing.closed for thing in made] == [True, True, True, False]


def test_lifetime_and_idle_time_on_a_set_clock():
    clock = Clock()
    config = ConnectionPoolConfig(max_size=1, max_lifetime=100, max_idle=10)
    pool = ResourcePool("db", Thing, config=config, clock=clock)
    with pool.acquire() as first:
        pass
    clock.now += 9.9
    with pool.acquire() as same:
        assert same is first
    clock.now += 10
    with pool.acquire() as second:
        assert second is not first
        assert first.closed
        clock.now += 100
    assert second.closed, "too old when it came back"


def test_lifetimes_differ():
    pool = ResourcePool("db", Thing, config=ConnectionPoolConfig(max_size=50, max_lifetime=100))
    ends = {pool._entry(None).expires_at - pool._clock() for _ in range(50)}
    assert len(ends) > 40
    assert all(90 <= end <= 100 for end in ends)


def test_a_failed_create_gives_its_place_to_the_next():
    attempts = []

    def create():
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionRefusedError("down")
        return Thing()

    pool = ResourcePool("db", create, config=ConnectionPoolConfig(max_size=1))
    with pytest.raises(ConnectionRefusedError), pool.acquire():
        pass
    assert pool.stats.size == 0
    with pool.acquire():
        pass


def test_close_wakes_waiters_and_waits_for_what_is_lent():
    pool = ResourcePool("db", Thing, config=ConnectionPoolConfig(max_size=1))
    outcomes = []

    def wait():
        try:
            pool.acquire().__enter__()
        except PoolClosed as error:
            outcomes.append(error)

    lease = pool.acquire()
    thing = lease.__enter__()
    waiter = threading.Thread(target=wait)
    waiter.start()
    while not pool.stats.waiting:
        time.sleep(0.001)
    assert pool.close() == 1
    waiter.join()
    assert len(outcomes) == 1
    threading.Timer(0.02, lease.__exit__, (None, None, None)).start()
    assert pool.close(timeout=10) == 0
    assert thing.closed


def test_sync_use_of_an_async_pool_is_refused():
    async def create():
        return Thing()

    pool = ResourcePool("db", create)
    with pytest.raises(TypeError, match="async with"), pool.acquire():
        pass
    assert pool.stats.size == 0


async def test_one_pool_for_threads_and_tasks():
    pool = ResourcePool("db", Thing, config=ConnectionPoolConfig(max_size=2))
    users = set()

    def in_thread():
        for _ in range(50):
            with pool.acquire() as thing:
                assert thing not in users
                users.add(thing)
                users.remove(thing)

    async def in_task():
        for _ in range(50):
            async with pool.acquire() as thing:
                assert thing not in users
                users.add(thing)
                await asyncio.sleep(0)
                users.remove(thing)

    await asyncio.gather(
        *(asyncio.to_thread(in_thread) for _ in range(2)), *(in_task() for _ in range(4))
    )
    assert pool.stats.in_use == 0
    assert pool.close() == 0


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="max_size must be 1 or more, not 0"):
        ConnectionPoolConfig(max_size=0)
    with pytest.raises(ValueError, match="min_size"):
        ConnectionPoolConfig(min_size=3, max_size=2)
    with pytest.raises(TypeError, match="needs a create function"):
        ResourcePool("db")
    with pytest.raises(TypeError, match="config must be"):
        ResourcePool("db", Thing, config={"max_size": 3})  # type: ignore[call-overload]
    lease = ResourcePool("db", Thing).acquire()
    with lease, pytest.raises(RuntimeError, match="entered already"):
        lease.__enter__()
    shifted = ResourcePool(Thing, None, None, ConnectionPoolConfig(max_size=3))
    assert (shifted.name, shifted.config.max_size) == ("Thing", 3)
    ended: list[Thing] = []
    for pool in (
        ResourcePool(Thing, close=ended.append),
        ResourcePool(create=Thing, close=ended.append),
        ResourcePool("db", create=Thing, close=ended.append),
    ):
        with pool.acquire() as thing:
            pass
        pool.close()
        assert ended.pop() is thing
    with pytest.raises(TypeError, match="each once; not close"):
        ResourcePool(Thing, ended.append, close=ended.append)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="not size"):
        ResourcePool("db", Thing, size=3)  # type: ignore[call-overload]


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
