"""Rate limiters: turns, refusals, deadlines."""

import asyncio
import threading
from typing import Any

import pytest

from shared.resilience import (
    RateLimitedError,
    RateLimiter,
    TokenBucket,
    deadline,
    rate_limit,
    with_timeout,
)
from shared.resilience.testing import VirtualClock, run_virtual


def test_a_cancelled_waiter_loses_nothing_of_the_others():
    clock = VirtualClock()

    async def main():
        limiter = RateLimiter(1, 1.0, clock=clock)
        await limiter.acquire()
        first = asyncio.ensure_future(limiter.acquire())
        second = asyncio.ensure_future(limiter.acquire())
        await asyncio.sleep(0.5)
        first.cancel()
        await second
        return clock()

    assert run_virtual(main(), clock) == pytest.approx(1.0)


def test_two_runs_after_each_other_and_a_loop_that_died():
    limiter = RateLimiter(1, 0.02)

    async def main():
        await limiter.acquire()
        await limiter.acquire()

    asyncio.run(main())
    asyncio.run(main())
    loop = asyncio.new_event_loop()
    task = loop.create_task(main())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()  # with a waiter in the line
    done = threading.Event()

    def acquire():
        limiter.acquire()
        done.set()

    thread = threading.Thread(target=acquire)
    thread.start()
    assert done.wait(5)
    thread.join()
    task._log_destroy_pending = False  # type: ignore[attr-defined]


async def test_blocking_code_in_a_loop_does_not_wait_for_its_own_tasks():
    limiter = RateLimiter(1, 0.02)
    await limiter.acquire()
    task = asyncio.ensure_future(limiter.acquire())
    await asyncio.sleep(0)

    @limiter
    def blocking():
        return "done"

    assert blocking() == "done"  # though the task stands before it in the line
    await task


def test_the_ways_of_use(clock):
    limiter = RateLimiter(2, 10.0, clock=clock)

    @limiter
    def plain():
        return clock()

    with limiter:
        pass
    assert [plain(), plain()] == [1000.0, 1010.0]
    assert limiter.call(len, "ab") == 2

    async def main():
        async with limiter:
            pass
        await limiter.acall(asyncio.sleep, 0)
        return clock()

    assert run_virtual(main(), clock) == pytest.approx(1020.0)


@pytest.mark.parametrize("n", [1, 2])
def test_a_window_is_over_when_its_period_has_passed(n, clock):
    limiter = RateLimiter(2, 8.0, clock=clock)
    assert limiter.try_acquire(2)
    clock.advance(7.75)
    assert not limiter.try_acquire(n)
    clock.advance(0.25)
    assert limiter.try_acquire(n)


@pytest.mark.parametrize("make", [RateLimiter, TokenBucket])
@pytest.mark.parametrize("n", [1, 2])
def test_who_does_not_wait_does_not_overtake_who_does(make, n, clock):
    async def main():
        limiter = make(10, 10, clock=clock)
        assert limiter.try_acquire(7)
        heavy = asyncio.ensure_future(limiter.acquire(5))
        await asyncio.sleep(0)
        assert not limiter.try_acquire(n)
        await heavy

    run_virtual(main(), clock)


def test_what_acquire_gives_is_a_coroutine_also_when_nobody_waits():
    limiter = RateLimiter(100, 60.0)

    async def main():
        for n in (1, 2):
            await asyncio.create_task(limiter.acquire(n))  # type: ignore[arg-type]
            await asyncio.gather(limiter.acquire(n), limiter.acquire(n))
            await asyncio.wait_for(limiter.acquire(n), 5)
            await with_timeout(limiter.acquire(n), 5.0)
            async with asyncio.TaskGroup() as group:
                group.create_task(limiter.acquire(n))  # type: ignore[arg-type]
            done: Any = limiter.acquire(n)
            assert asyncio.iscoroutine(done)
            assert (await done, await done) == (None, None)
            done.close()
            with pytest.raises(KeyError):
                done.throw(KeyError())

    asyncio.run(main())
    assert limiter.try_acquire(100 - 3 * 7)
    assert not limiter.try_acquire()


def test_not_waiting_says_when(clock):
    limiter = RateLimiter(1, 10.0, wait=False, name="quick", clock=clock)
    limiter.acquire()
    clock.advance(4)
    with pytest.raises(RateLimitedError, match="quick") as caught:
        limiter.acquire()
    assert caught.value.retry_after == pytest.approx(6.0)

    bucket = TokenBucket(2, 4, wait=False, clock=clock)
    bucket.acquire(4)
    clock.advance(0.5)
    with pytest.raises(RateLimitedError) as caught:
        bucket.acquire(3)
    assert caught.value.retry_after == pytest.approx(1.0)

    @rate_limit(1, wait=False, clock=clock)
    def once():
        return 1

    assert once() == 1
    with pytest.raises(RateLimitedError):
        once()


def test_a_deadline_that_comes_before_the_turn_raises_at_once(clock):
    limiter = RateLimiter(1, 10.0, clock=clock)
    limiter.acquire()
    with deadline(5.0, clock=clock), pytest.raises(TimeoutError):
        limiter.acquire()
    assert clock() == 1000.0
    assert len(limiter._line) == 0


@pytest.mark.parametrize("n", [0, -1, 4, 1.5, "one"])
def test_impossible_amounts(n, clock):
    limiter = RateLimiter(3, 1.0, clock=clock)
    with pytest.raises((ValueError, TypeError), match="n must be"):
        limiter.acquire(n)
