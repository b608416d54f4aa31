"""Behaviour that toys get wrong, rate limiter: ours passes, each naive twin must fail its check."""

import asyncio
import contextlib
import random
import threading
import time

import pytest

from shared.resilience import RateLimiter
from shared.resilience.testing import VirtualClock, run_virtual


def naive(twin):
    return pytest.param(twin, marks=pytest.mark.xfail(raises=AssertionError, strict=True))


def wall_time():
    return time.time()


class FixedWindow:
    """Counts in windows that begin at fixed times; everybody who must wait polls."""

    def __init__(self, calls, period, *, clock):
        self.calls, self.period, self.clock = calls, period, clock
        self.start, self.used = clock(), 0

    def try_acquire(self, n=1):
        if self.clock() - self.start >= self.period:
            self.start, self.used = self.clock(), 0
        if self.used + n <= self.calls:
            self.used += n
            return True
        return False

    async def acquire(self, n=1):
        while not self.try_acquire(n):  # noqa: ASYNC110 - a toy polls
            await asyncio.sleep(random.uniform(0.0, self.period))


class Reserving:
    """Hands out the next slot to each caller, and lets it sleep until then."""

    def __init__(self, calls, period, *, clock):
        self.gap, self.clock, self.next = period / calls, clock, clock()

    async def acquire(self):
        slot = max(self.next, self.clock())
        self.next = slot + self.gap
        await asyncio.sleep(slot - self.clock())


class SlidingLog:
    """The times of the last calls, looked at and then added to, on the wall clock."""

    def __init__(self, calls, period, *, clock=wall_time):
        self.calls, self.period, self.clock, self.times = calls, period, clock, []

    def try_acquire(self):
        start = self.clock() - self.period
        self.times = [at for at in self.times if at > start]
        if len(self.times) < self.calls:
            self.times.append(self.clock())
            return True
        return False


class LoopBound:
    """A semaphore of asyncio, given back by a timer of the loop that runs just then."""

    def __init__(self, calls, period):
        self.slots, self.period = asyncio.Semaphore(calls), period

    async def acquire(self):
        await self.slots.acquire()
        asyncio.get_running_loop().call_later(self.period, self.slots.release)


@pytest.mark.parametrize("cls", [RateLimiter, naive(FixedWindow)])
def test_every_window_holds_at_most_the_calls(cls, clock):
    limiter = cls(10, 1.0, clock=clock)
    admitted = []
    for wanted, pause in [(1, 0.9), (9, 0.15), (10, 0.3), (10, 0.65)] * 20:
        admitted += [clock() for _ in range(wanted) if limiter.try_acquire()]
        clock.advance(pause)
    assert all(late - early >= 1.0 for early, late in zip(admitted, admitted[10:], strict=False))


@pytest.mark.parametrize("cls", [RateLimiter, naive(FixedWindow)])
def test_waiters_are_served_in_their_order(cls, clock):
    async def main():
        limiter = cls(1, 1.0, clock=clock)
        order = []

        async def one(number):
            await limiter.acquire()
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(8)))
        return order

    random.seed(1)
    assert run_virtual(main(), clock) == list(range(8))


@pytest.mark.parametrize("cls", [RateLimiter, naive(FixedWindow)])
def test_a_heavy_waiter_is_not_starved(cls, clock):
    async def main():
        limiter = cls(5, 1.0, clock=clock)
        served = []

        async def one(n, label):
            await limiter.acquire(n)
            served.append(label)

        await limiter.acquire(5)
        heavy = asyncio.create_task(one(5, "heavy"))
        await asyncio.sleep(0.001)
        light = [asyncio.create_task(one(1, "light")) for _ in range(30)]
        await asyncio.wait([heavy, *light])
        return served

    random.seed(1)
    assert run_virtual(main(), clock)[0] == "heavy"


@pytest.mark.parametrize("cls", [RateLimiter, naive(Reserving)])
def test_a_cancelled_waiters_slot_returns(cls):
    clock = VirtualClock()

    async def main():
        limiter = cls(1, 1.0, clock=clock)
        await limiter.acquire()
        leaving, staying = (asyncio.ensure_future(limiter.acquire()) for _ in range(2))
        await asyncio.sleep(0.5)
        leaving.cancel()
        await staying

    run_virtual(main(), clock)
    assert clock() == pytest.approx(1.0)  # not 2.0


@pytest.mark.parametrize("cls", [RateLimiter, naive(SlidingLog)])
def test_two_threads_that_look_at_once_are_not_both_admitted(cls):
    looking = threading.Barrier(2, timeout=0.5)

    def clock():
        with contextlib.suppress(threading.BrokenBarrierError):
            looking.wait()
        return 1000.0

    limiter = cls(1, 1.0, clock=clock)
    admitted = []
    threads = [
        threading.Thread(target=lambda: admitted.append(limiter.try_acquire())) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(admitted) == [False, True]


async def acquire_twice(limiter, outcomes):
    try:
        async with asyncio.timeout(5 if isinstance(limiter, RateLimiter) else 0.3):
            await limiter.acquire()
            await limiter.acquire()
    except (RuntimeError, TimeoutError) as exc:  # bound to another loop; never woken
        outcomes.append(repr(exc))
    else:
        outcomes.append("done")


@pytest.mark.parametrize("cls", [RateLimiter, naive(LoopBound)])
def test_one_object_in_two_runs_after_each_other(cls):
    limiter = cls(1, 0.02)
    outcomes: list[str] = []
    for _ in range(2):
        asyncio.run(acquire_twice(limiter, outcomes))
    assert outcomes == ["done", "done"]


@pytest.mark.parametrize("cls", [RateLimiter, naive(LoopBound)])
def test_one_object_in_several_loops_at_once(cls):
    limiter = cls(1, 0.02)
    outcomes: list[str] = []
    start = threading.Barrier(3)

    def run():
        start.wait()
        asyncio.run(acquire_twice(limiter, outcomes))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["done"] * 3


@pytest.mark.parametrize("cls", [RateLimiter, naive(SlidingLog)])
def test_a_wall_clock_jump_admits_nobody(cls, monkeypatch):
    limiter = cls(1, 3600.0)
    assert limiter.try_acquire()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200.0)
    assert not limiter.try_acquire()
