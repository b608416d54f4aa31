"""Threads and tasks of several loops in one line."""

import asyncio
import math
import threading

import pytest

from shared.core.waiting import Line, TaskWaiter, ThreadWaiter


def test_a_thread_is_given_something_by_another():
    waiter = ThreadWaiter()
    threading.Thread(target=waiter.give, args=("x",)).start()
    assert waiter.wait(math.inf)
    assert waiter.value == "x"


def test_a_wait_without_a_gift_tells_so():
    waiter = ThreadWaiter()
    assert not waiter.wait(0)
    assert not waiter.wait(-1)
    waiter.wake()
    assert not waiter.wait(math.inf)  # woken, given nothing
    with pytest.raises(AttributeError):
        waiter.value  # noqa: B018


async def test_a_task_is_given_something_by_a_thread_before_and_while_it_waits():
    before = TaskWaiter()
    before.give(1)
    assert await before.wait()
    during = TaskWaiter()
    task = asyncio.ensure_future(during.wait(math.inf))
    await asyncio.sleep(0)
    await asyncio.to_thread(during.give, 2)
    assert await task
    assert (before.value, during.value) == (1, 2)


async def test_a_task_that_waits_in_vain_is_told_so():
    waiter = TaskWaiter()
    assert not await waiter.wait(0)
    waiter.wake()
    assert not await waiter.wait(math.inf)


async def test_a_cancelled_task_can_still_be_given_something_and_says_so():
    waiter = TaskWaiter()
    task = asyncio.ensure_future(waiter.wait())
    await asyncio.sleep(0)
    task.cancel()
    waiter.give("lost?")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waiter.given  # its owner must take it back


def test_nothing_is_handed_to_a_loop_that_is_closed():
    async def make():
        return TaskWaiter()

    waiter = asyncio.run(make())
    with pytest.raises(RuntimeError):
        waiter.give("x")
    assert not waiter.given
    waiter.wake()  # nobody to wake


def test_a_task_waiter_needs_a_loop():
    with pytest.raises(RuntimeError, match="no event loop"):
        TaskWaiter()


def test_the_line_is_first_come_first_served_and_forgets_closed_loops():
    async def make():
        return TaskWaiter()

    line = Line()
    gone, first, second = asyncio.run(make()), ThreadWaiter(), ThreadWaiter(3)
    for waiter in (gone, first, second):
        line.join(waiter)
    assert len(line) == 3
    assert line.head() is first
    line.leave(first)
    assert second._event.is_set()  # now it is its turn
    line.leave(first)  # is not there any more
    assert line.head() is second
    assert second.amount == 3


async def test_a_thread_that_blocks_its_loop_goes_before_the_tasks_of_that_loop():
    line = Line()
    other, task, blocking = ThreadWaiter(), TaskWaiter(), ThreadWaiter()
    line.join(task)
    line.join(blocking)
    assert list(line.waiters) == [blocking, task]
    line.waiters.clear()
    await asyncio.to_thread(line.join, other)
    line.join(task)
    line.join(blocking)
    assert list(line.waiters) == [other, blocking, task]
