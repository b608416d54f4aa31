"""Random users, failures, cancellations and forks against the pool; the laws must hold throughout.

Never more than max alive, never one object with two users, none leaked.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.lifecycle import ConnectionPoolConfig, PoolTimeout, ResourcePool


class Thing:
    def __init__(self):
        self.user = None
        self.alive = True


class World:
    """Makes and ends things, fails at times, and counts."""

    def __init__(self, seed, limit, fail=0.2):
        self.random = random.Random(seed)
        self.limit = limit
        self.fail = fail
        self.lock = threading.Lock()
        self.alive = set()
        self.most = 0

    def chance(self, p):
        with self.lock:
            return self.random.random() < p

    def create(self):
        if self.chance(self.fail):
            raise ConnectionError("no")
        thing = Thing()
        with self.lock:
            self.alive.add(thing)
            self.most = max(self.most, len(self.alive))
        return thing

    def close(self, thing):
        assert thing.user is None
        with self.lock:
            self.alive.remove(thing)
        thing.alive = False
        if self.chance(self.fail / 2):
            raise ConnectionError("bad end")

    def validate(self, thing):
        assert thing.alive
        if self.chance(self.fail / 2):
            raise ConnectionError("dead")
        return not self.chance(self.fail / 2)

    def use(self, thing, user):
        assert thing.alive
        assert thing.user is None, "one object, two users"
        thing.user = user

    def leave(self, thing, user):
        assert thing.user is user
        thing.user = None


class AsyncWorld(World):
    async def pause(self):
        for _ in range(self.random.randrange(3)):
            await asyncio.sleep(0)

    async def acreate(self):
        await self.pause()
        thing = self.create()
        try:
            await self.pause()
        except asyncio.CancelledError:
            with self.lock:
                self.alive.remove(thing)  # as a driver does that is cancelled while connecting
            raise
        return thing

    async def aclose(self, thing):
        try:
            await self.pause()
        finally:
            self.close(thing)

    async def avalidate(self, thing):
        await self.pause()
        return self.validate(thing)


async def one_task(pool, world, loops):
    me = object()
    for _ in range(loops):
        try:
            async with pool.acquire(timeout=world.random.choice([0, 5])) as thing:
                world.use(thing, me)
                try:
                    await world.pause()
                    if world.chance(0.2):
                        raise ValueError("the user's own")
                    if world.chance(0.1):
                        pool.discard(thing)
                finally:
                    world.leave(thing, me)
        except (ConnectionError, ValueError, PoolTimeout):
            pass
        await world.pause()


async def model(seed, limit, tasks, *, in_threads):
    world = AsyncWorld(seed, limit)
    functions: Any = (
        (world.create, world.close, world.validate)
        if in_threads
        else (world.acreate, world.aclose, world.avalidate)
    )
    create, close, validate = functions
    config = ConnectionPoolConfig(max_size=limit)
    pool = ResourcePool("model", create, close, validate, config)
    running = [asyncio.ensure_future(one_task(pool, world, 6)) for _ in range(tasks)]
    for task in world.random.sample(running, tasks // 2):
        await world.pause()
        if in_threads:
            await asyncio.sleep(world.random.random() / 500)
        task.cancel()
    results = await asyncio.gather(*running, return_exceptions=True)
    assert all(r is None or isinstance(r, asyncio.CancelledError) for r in results), results
    # Threads that cancelled tasks left behind give back what they made.
    for _ in range(1000):
        if pool.stats.size == pool.stats.idle:
            break
        await asyncio.sleep(0.002)
    stats = pool.stats
    assert (stats.in_use, stats.waiting) == (0, 0)
    assert stats.size == stats.idle == len(world.alive)
    assert world.most <= limit
    assert await pool.aclose(timeout=5) == 0
    assert not world.alive


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(2, 12))
def test_tasks_with_async_functions(seed, limit, tasks):
    asyncio.run(model(seed, limit, tasks, in_threads=False))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(2, 8))
def test_tasks_with_functions_in_threads(seed, limit, tasks):
    asyncio.run(model(seed, limit, tasks, in_threads=True))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_threads(seed, limit):
    world = World(seed, limit)
    pool = ResourcePool(
        "model", world.create, world.close, world.validate, ConnectionPoolConfig(max_size=limit)
    )
    failures = []

    def one_thread():
        me = object()
        for _ in range(30):
            try:
                with pool.acquire(timeout=world.random.choice([0, 10])) as thing:
                    world.use(thing, me)
                    if world.chance(0.1):
                        time.sleep(0)
                    world.leave(thing, me)
            except (ConnectionError, PoolTimeout):
                pass
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=one_thread) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert pool.stats.size == pool.stats.idle == len(world.alive)
    assert world.most <= limit
    assert pool.close() == 0
    assert not world.alive


# In a process of its own: a tracer of coverage's takes locks that a fork would copy.
FORKS = """
import os, threading, warnings
from shared.lifecycle import ConnectionPoolConfig, PoolClosed, ResourcePool

warnings.simplefilter("ignore", DeprecationWarning)  # many threads and a fork: that is the point

class Ours:
    def __init__(self):
        self.pid = os.getpid()
        self.closed_by = None

    def close(self):
        self.closed_by = os.getpid()

pool = ResourcePool("forked", Ours, config=ConnectionPoolConfig(max_size=2))
with pool.acquire() as kept, pool.acquire() as lent:
    pass
stop = threading.Event()

def busy():
    while not stop.is_set():
        pool.stats  # holds the lock often, so that forks happen meanwhile

thread = threading.Thread(target=busy)
thread.start()
try:
    with pool.acquire() as lent:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                with pool.acquire() as one, pool.acquire() as two:
                    good = one.pid == two.pid == os.getpid()
                good = good and pool.close() == 0
                good = good and kept.closed_by is None and lent.closed_by is None
                os._exit(0 if good else 1)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
finally:
    stop.set()
    thread.join()
assert pool.stats.idle == 2
pool.close()
try:
    pool.acquire().__enter__()
except PoolClosed:
    print("each its own")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_has_its_own():
    command = [sys.executable, "-c", FORKS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "each its own\n"), done.stderr
