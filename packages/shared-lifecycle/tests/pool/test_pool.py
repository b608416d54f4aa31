"""The pool's promises one by one."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from shared.core.testing import VirtualClock
from shared.lifecycle import ConnectionPoolConfig, PoolClosed, PoolTimeout, ResourcePool


class Thing:
    def __init__(self):
        self.alive = True
        self.closed = False

    def close(self):
        self.closed = True


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


async def test_a_task_cancelled_while_a_thread_connects_leaks_nothing():
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


def test_lifetime_and_idle_time_on_a_set_clock():
    clock = VirtualClock(1000.0)
    config = ConnectionPoolConfig(max_size=1, max_lifetime=100, max_idle=10)
    pool = ResourcePool("db", Thing, config=config, clock=clock)
    with pool.acquire() as first:
        pass
    clock.advance(9.9)
    with pool.acquire() as same:
        assert same is first
    clock.advance(10)
    with pool.acquire() as second:
        assert second is not first
        assert first.closed
        clock.advance(100)
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


async def test_a_thread_that_blocks_its_loop_is_served_before_the_tasks_of_that_loop():
    pool = ResourcePool("db", Thing, config=ConnectionPoolConfig(max_size=1))
    lease = pool.acquire()
    lease.__enter__()
    waiting = asyncio.ensure_future(pool.acquire().__aenter__())
    await asyncio.sleep(0)
    threading.Timer(0.02, lease.__exit__, (None, None, None)).start()
    with pool.acquire(timeout=10):  # in the task's place, it would wait for ever
        pass
    assert isinstance(await waiting, Thing)


def test_a_task_that_waits_for_the_end_of_loans_may_lose_its_loop():
    pool = ResourcePool("db", Thing, config=ConnectionPoolConfig(max_size=1))
    lease = pool.acquire()
    lease.__enter__()

    async def close():
        closing = asyncio.ensure_future(pool.aclose(timeout=60))
        await asyncio.sleep(0)
        assert not closing.done()
        closing.cancel()

    asyncio.run(close())
    lease.__exit__(None, None, None)
    assert pool.stats.size == 0


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ({"max_size": 0}, "max_size must be a whole number of at least 1, not 0"),
        ({"min_size": 3, "max_size": 2}, "min_size must be a whole number from 0 to 2, not 3"),
        ({"timeout": -1}, "timeout must be a number of at least 0, not -1"),
        ({"max_lifetime": 0}, "max_lifetime must be a number above 0, not 0"),
        ({"max_idle": -1}, "max_idle must be a number above 0, not -1"),
    ],
)
def test_limits_are_checked(limits, complaint):
    with pytest.raises(ValueError, match=complaint):
        ConnectionPoolConfig(**limits)


@pytest.mark.parametrize(
    ("args", "options", "complaint"),
    [
        (("db",), {}, "create must be callable, not None"),
        (("db", 3), {}, "create must be callable, not 3"),
        (("db", Thing), {"config": {"max_size": 3}}, "config must be a ConnectionPoolConfig, not"),
        (("db", Thing), {"validate": 3}, "validate must be callable or None, not 3"),
        ((Thing, print), {"close": print}, "multiple values for argument 'close'"),
        (("db", Thing), {"name": "db"}, "multiple values for keyword argument 'name'"),
        (("db", Thing), {"size": 3}, "unexpected keyword argument 'size'"),
    ],
)
def test_arguments_are_checked(args, options, complaint):
    with pytest.raises(TypeError, match=complaint):
        ResourcePool(*args, **options)


@pytest.mark.parametrize(
    ("args", "options", "name"),
    [
        ((Thing,), {}, "Thing"),
        ((Thing, None, None), {}, "Thing"),
        ((), {"create": Thing}, "Thing"),
        ((Thing,), {"name": "db"}, "db"),
        (("db", Thing), {}, "db"),
        (("db",), {"create": Thing}, "db"),
    ],
)
def test_the_name_may_come_first_or_be_omitted(args, options, name):
    ended: list[Thing] = []
    if len(args) < 3:
        options = {**options, "close": ended.append}
    options["config"] = ConnectionPoolConfig(max_size=3)
    pool = ResourcePool(*args, **options)
    assert (pool.name, pool.config.max_size) == (name, 3)
    with pool.acquire() as thing:
        pass
    pool.close()
    assert ended == [thing] or (not ended and thing.closed)


def test_a_loan_is_entered_once():
    lease = ResourcePool("db", Thing).acquire()
    with lease, pytest.raises(RuntimeError, match="entered already"):
        lease.__enter__()
