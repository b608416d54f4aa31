"""The laws of limiters: over random arrivals, tasks and threads together, several loops."""

import asyncio
import contextlib
import itertools
import random
import threading
import time
from collections import deque
from operator import length_hint

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.resilience import (
    RateLimiter,
    TokenBucket,
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
    # No caller is lost: all that did not give up were served, and none waits any more.
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
