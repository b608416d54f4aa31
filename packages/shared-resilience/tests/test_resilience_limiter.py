"""The limiter's law over random arrivals, tasks and threads together, several loops."""

import asyncio
import contextlib
import itertools
import random
import threading
import time
from collections import deque
from operator import length_hint
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.resilience import (
    RateLimitedError,
    RateLimiter,
    TokenBucket,
    deadline,
    rate_limit,
    with_timeout,
)
from shared.resilience.testing import VirtualClock, run_virtual

ARRIVALS = st.lists(
    st.tuples(
        st.floats(0.0, 3.0),  # when it comes
        st.integers(1, 3),  # how many it wants
        st.none() | st.floats(0.0, 2.0),  # when it is cancelled, after its arrival
    ),
    max_size=40,
)


def serve(limiter, clock, arrivals):
    """Return (when, how many, number) of what was admitted."""
    admitted = []

    async def one(number, at, n, patience):
        await asyncio.sleep(at)

        async def wait():
            await limiter.acquire(n)
            admitted.append((clock(), n, number))

        task = asyncio.create_task(wait())
        done, _ = await asyncio.wait([task], timeout=patience)
        if not done:
            task.cancel()
            await asyncio.wait([task])

    async def main():
        await asyncio.gather(*(one(i, *arrival) for i, arrival in enumerate(arrivals)))

    run_virtual(main(), clock)
    return admitted


@settings(max_examples=80, deadline=None)
@given(arrivals=ARRIVALS, calls=st.integers(3, 6), period=st.floats(0.1, 2.0))
def test_at_most_n_in_every_window(arrivals, calls, period):
    clock = VirtualClock()
    limiter = RateLimiter(calls, period, clock=clock)
    admitted = serve(limiter, clock, arrivals)
    window: deque[float] = deque()
    for when, n, _ in admitted:
        window.extend([when] * n)
        while when - window[0] >= period:
            window.popleft()
        assert len(window) <= calls
    # Nobody is lost: all who did not give up were served, and nobody waits any more.
    patient = {i for i, (_, _, patience) in enumerate(arrivals) if patience is None}
    assert patient <= {number for _, _, number in admitted}
    assert len(limiter._line) == 0


@settings(max_examples=50, deadline=None)
@given(arrivals=ARRIVALS, rate=st.floats(0.5, 20.0), capacity=st.integers(3, 6))
def test_a_bucket_gives_at_most_its_capacity_and_its_rate(arrivals, rate, capacity):
    clock = VirtualClock()
    bucket = TokenBucket(rate, capacity, clock=clock)
    admitted = serve(bucket, clock, arrivals)
    for i, (start, _, _) in enumerate(admitted):
        total = 0
        for when, n, _ in admitted[i:]:
            total += n
            assert total <= capacity + rate * (when - start) + 1e-6


@settings(max_examples=40, deadline=None)
@given(arrivals=st.lists(st.tuples(st.just(0.0), st.integers(1, 3), st.none()), max_size=20))
def test_first_come_first_served_whatever_their_weight(arrivals):
    clock = VirtualClock()
    admitted = serve(RateLimiter(3, 1.0, clock=clock), clock, arrivals)
    assert [number for _, _, number in admitted] == list(range(len(arrivals)))


def test_threads_and_tasks_of_two_loops_share_one_line():
    limiter = RateLimiter(20, 0.1)
    admitted = []

    def in_thread():
        for _ in range(10):
            limiter.acquire()
            admitted.append(time.monotonic())

    async def in_loop():
        async def one():
            await limiter.acquire()
            admitted.append(time.monotonic())

        await asyncio.gather(*(one() for _ in range(10)))

    threads = [threading.Thread(target=in_thread) for _ in range(3)]
    threads += [threading.Thread(target=asyncio.run, args=(in_loop(),)) for _ in range(3)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(admitted) == 60
    # 20 at once, 20 after each further period: the law, seen from outside, without jitter.
    assert max(admitted) - started >= 0.2
    taken = sorted(limiter._used)
    assert len(taken) == 20
    assert len(limiter._line) == 0


def test_the_law_among_threads_that_never_wait():
    """Each look at the clock moves it, so admission times are exact whatever the scheduler does."""
    ticks = itertools.count()
    looked = threading.local()
    admitted = []

    def clock():
        looked.at = next(ticks) * 1e-4
        return looked.at

    limiter = RateLimiter(10, 0.01, clock=clock)

    def work():
        for _ in range(5000):
            if limiter.try_acquire():
                admitted.append(looked.at)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    admitted.sort()
    assert len(admitted) > 100
    assert all(b - a >= 0.01 - 1e-12 for a, b in zip(admitted, admitted[10:], strict=False))
    assert len(limiter._used) == 10


@pytest.mark.parametrize("seed", range(4))
def test_the_law_among_threads_and_tasks_that_wait_and_leave(seed):
    """Random arrivals and weights; half of the tasks lose patience. Real time, of the limiter."""
    plan = random.Random(seed)
    calls, period = plan.randint(3, 6), 0.01
    looked = threading.local()

    def clock():
        looked.at = time.monotonic()
        return looked.at

    limiter = RateLimiter(calls, period, clock=clock)
    admitted: list[tuple[float, int]] = []
    patient = threading.Semaphore(0)

    def in_thread(arrivals):
        for pause, n, _ in arrivals:
            time.sleep(pause)
            limiter.acquire(n)
            admitted.append((looked.at, n))
            patient.release()

    async def in_tasks(arrivals):
        async def one(pause, n, patience):
            await asyncio.sleep(pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await limiter.acquire(n)
                    admitted.append((looked.at, n))
                    if patience is None:
                        patient.release()

        await asyncio.gather(*(one(*arrival) for arrival in arrivals))

    def arrivals(pause):
        return [
            (plan.uniform(0, pause), plan.randint(1, 3), plan.choice([None, plan.uniform(0, 0.03)]))
            for _ in range(12)
        ]

    threads = [threading.Thread(target=in_thread, args=(arrivals(0.01),)) for _ in range(3)]
    tasks = [arrivals(0.1) for _ in range(2)]
    threads += [threading.Thread(target=asyncio.run, args=(in_tasks(one),)) for one in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    times = sorted(at for at, n in admitted for _ in range(n))
    assert all(b - a >= period - 1e-9 for a, b in zip(times, times[calls:], strict=False))
    # Nobody is lost, nothing is kept: all who did not leave were served, and the line is empty.
    waited_on = 36 + sum(patience is None for one in tasks for *_, patience in one)
    assert sum(patient.acquire(blocking=False) for _ in range(waited_on)) == waited_on
    assert len(limiter._line) == 0
    assert len(limiter._used) + length_hint(limiter._unused) == calls


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
