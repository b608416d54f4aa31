"""A bulkhead holds, queues and refuses, among threads and tasks."""

import asyncio
import threading

import pytest

from shared.resilience import (
    Bulkhead,
    BulkheadFullError,
    deadline,
)
from shared.resilience.testing import VirtualClock, run_virtual


def test_bulkhead_holds_queues_and_refuses():
    clock = VirtualClock()
    bulkhead = Bulkhead(2, max_queue=3, max_wait=10.0, clock=clock)
    most = 0

    async def work(seconds):
        nonlocal most
        most = max(most, bulkhead.active)
        await asyncio.sleep(seconds)

    async def main():
        calls = (bulkhead.acall(work, 1.0) for _ in range(10))
        return await asyncio.gather(*calls, return_exceptions=True)

    results = run_virtual(main(), clock)
    assert sum(isinstance(r, BulkheadFullError) for r in results) == 5
    assert most == 2
    assert (bulkhead.active, bulkhead.queued) == (0, 0)


def test_bulkhead_waits_no_longer_than_allowed():
    clock = VirtualClock()
    bulkhead = Bulkhead(1, max_queue=5, max_wait=2.0, clock=clock)

    async def main():
        holder = asyncio.create_task(bulkhead.acall(asyncio.sleep, 10))
        await asyncio.sleep(0)
        with pytest.raises(BulkheadFullError, match="2 s"):
            await bulkhead.acall(asyncio.sleep, 0)
        assert clock() == pytest.approx(2.0)
        with pytest.raises(TimeoutError):
            async with deadline(1.0, clock=clock):
                await bulkhead.acall(asyncio.sleep, 0)
        cancelled = asyncio.create_task(bulkhead.acall(asyncio.sleep, 0))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert bulkhead.queued == 0
        await holder

    run_virtual(main(), clock)


def test_a_slot_that_comes_with_a_cancellation_is_passed_on():
    async def main():
        bulkhead = Bulkhead(1, max_queue=5)
        release = asyncio.Event()
        holder = asyncio.create_task(bulkhead.acall(release.wait))
        await asyncio.sleep(0)
        waiter = asyncio.create_task(bulkhead.acall(asyncio.sleep, 0))
        third = asyncio.create_task(bulkhead.acall(asyncio.sleep, 0, "third"))
        await asyncio.sleep(0)
        release.set()
        await holder  # the slot is handed to `waiter` here
        waiter.cancel()
        assert await third == "third"
        return bulkhead.active

    assert asyncio.run(main()) == 0


def test_waiting_for_a_slot_ends_with_the_deadline(clock):
    bulkhead = Bulkhead(1, max_queue=1, clock=clock)

    @bulkhead
    def inner():
        raise AssertionError("it is full")

    with bulkhead, deadline(5.0, clock=clock), pytest.raises(TimeoutError, match="deadline"):
        inner()
    assert clock() == 1005.0
    assert (bulkhead.active, bulkhead.queued) == (0, 0)


def test_a_plain_call_that_ends_lets_the_next_in():
    bulkhead = Bulkhead(1, max_queue=5, max_wait=10)
    begun, go_on = threading.Event(), threading.Event()

    @bulkhead
    def first():
        begun.set()
        go_on.wait(10)

    @bulkhead
    async def second():
        return "in"

    async def main():
        task = asyncio.create_task(second())
        await asyncio.sleep(0)
        assert bulkhead.queued == 1
        go_on.set()
        return await task

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(10)
    assert asyncio.run(main()) == "in"
    thread.join(10)


def test_bulkhead_among_threads_and_tasks():
    bulkhead = Bulkhead(3, max_queue=100)
    inside, most = 0, 0
    lock = threading.Lock()

    def count(step):
        nonlocal inside, most
        with lock:
            inside += step
            most = max(most, inside)

    def in_thread():
        for _ in range(200):
            with bulkhead:
                count(1)
                count(-1)

    async def in_loop():
        async def one():
            async with bulkhead:
                count(1)
                await asyncio.sleep(0)
                count(-1)

        await asyncio.gather(*(one() for _ in range(50)))

    threads = [threading.Thread(target=in_thread) for _ in range(4)]
    threads.append(threading.Thread(target=asyncio.run, args=(in_loop(),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert most <= 3
    assert (bulkhead.active, bulkhead.queued) == (0, 0)
