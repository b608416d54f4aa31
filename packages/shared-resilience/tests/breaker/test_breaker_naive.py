"""Behaviour that toys get wrong, circuit breaker: ours passes, the naive twin must fail.

The twins are what one writes in ten minutes; `naive` makes pytest insist that they fail the check.
"""

import asyncio
import contextlib
import functools
import threading
import time

import pytest

from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    RateLimitedError,
)
from shared.resilience.testing import VirtualClock, run_virtual


def naive(twin):
    return pytest.param(twin, marks=pytest.mark.xfail(raises=AssertionError, strict=True))


class ToyBreaker:
    """A state, a counter, and a lock around everything, the call included."""

    def __init__(self, name, config, clock):
        self.config, self.clock = config, clock
        self.state, self.failures, self.opened = "closed", 0, 0.0
        self.lock = threading.Lock()

    def _before(self):
        if self.state == "open":
            if self.clock() - self.opened < self.config.timeout:
                raise CircuitOpenError
            self.state = "half_open"

    def _after(self, exc):
        if exc is None:
            self.state, self.failures = "closed", 0
        else:
            self.failures += 1
            if self.failures >= self.config.failure_threshold:
                self.state, self.opened = "open", self.clock()

    def call(self, fn, *args):
        with self.lock:
            self._before()
            try:
                result = fn(*args)
            except BaseException as exc:
                self._after(exc)
                raise RuntimeError("call failed") from exc
            self._after(None)
            return result

    async def acall(self, fn, *args):
        self._before()
        try:
            result = await fn(*args)
        except BaseException as exc:
            self._after(exc)
            raise
        self._after(None)
        return result

    def __call__(self, fn):
        @functools.wraps(fn)
        def wrapper(*args):
            return self.call(fn, *args)

        return wrapper


both_breakers = pytest.mark.parametrize("cls", [CircuitBreaker, naive(ToyBreaker)])
INTERRUPTS = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)


def make(cls, clock=None, **config):
    options = {"failure_threshold": 1, "timeout": 10.0} | config
    return cls("toys", CircuitBreakerConfig(**options), clock=clock or VirtualClock())


def fail():
    raise ValueError("mine")


async def fail_async():
    raise ValueError("mine")


def trip(subject):
    with contextlib.suppress(Exception):
        subject.call(fail)


def half_open(cls, clock, **config):
    subject = make(cls, clock, **config)
    trip(subject)
    clock.advance(10)
    return subject


@both_breakers
def test_half_open_admits_exactly_its_probes_among_tasks(cls, clock):
    subject = half_open(cls, clock, half_open_max_calls=3)

    async def main():
        calls = (subject.acall(asyncio.sleep, 1.0) for _ in range(20))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert sum(not isinstance(r, CircuitOpenError) for r in run_virtual(main())) == 3


@both_breakers
def test_half_open_admits_exactly_its_probes_among_threads(cls, clock):
    subject = half_open(cls, clock, half_open_max_calls=2)
    admitted, rejected = threading.Semaphore(0), threading.Semaphore(0)
    finish = threading.Event()

    def probe():
        admitted.release()
        finish.wait(10)

    def caller():
        try:
            subject.call(probe)
        except CircuitOpenError:
            rejected.release()

    threads = [threading.Thread(target=caller) for _ in range(8)]
    for thread in threads:
        thread.start()
    # Eight calls meet; two run, six are turned away while the two still run.
    turned_away = 0
    while turned_away < 6 and rejected.acquire(timeout=5 if cls is CircuitBreaker else 0.3):
        turned_away += 1
    finish.set()
    for thread in threads:
        thread.join()
    assert turned_away == 6
    assert [admitted.acquire(blocking=False) for _ in range(3)] == [True, True, False]


@both_breakers
def test_a_cancelled_probe_gives_its_permit_back_at_once(cls, clock):
    subject = half_open(cls, clock)

    async def main():
        task = asyncio.create_task(subject.acall(asyncio.sleep, 100))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        try:
            return await subject.acall(asyncio.sleep, 0, "probe")
        except CircuitOpenError:
            return "refused"

    assert run_virtual(main()) == "probe"


@both_breakers
@pytest.mark.parametrize("late", ["success", "failure"])
def test_a_result_from_before_the_last_transition_changes_nothing(cls, late, clock):
    subject = make(cls, clock)
    release = asyncio.Event()

    async def slow():
        await release.wait()
        if late == "failure":
            raise ValueError

    async def main():
        old = asyncio.create_task(subject.acall(slow))
        await asyncio.sleep(0)
        with contextlib.suppress(ValueError):
            await subject.acall(fail_async)
        if late == "failure":  # it ends when the circuit is closed again
            clock.advance(10)
            await subject.acall(asyncio.sleep, 0)
        release.set()
        await asyncio.wait([old])
        old.exception()

    asyncio.run(main())
    assert subject.state == ("open" if late == "success" else "closed")


@both_breakers
@pytest.mark.parametrize("interrupt", INTERRUPTS)
def test_interrupts_are_never_counted(cls, interrupt):
    subject = make(cls)

    async def stop():
        raise interrupt

    with contextlib.suppress(interrupt):
        subject.acall(stop).send(None)
    assert subject.state == "closed"


@both_breakers
def test_the_caller_gets_its_own_exception_also_when_it_trips(cls):
    subject = make(cls)
    mine = ValueError("mine")
    got = None

    def raise_mine():
        raise mine

    try:
        subject.call(raise_mine)
    except Exception as exc:
        got = exc
    assert got is mine
    assert subject.state == "open"


@both_breakers
def test_refusals_by_policies_are_not_failures(cls):
    subject = make(cls)

    def refuse():
        raise RateLimitedError("inner")

    with contextlib.suppress(Exception):
        subject.call(refuse)
    assert subject.state == "closed"


@both_breakers
def test_no_lock_is_held_across_user_code(cls):
    subject = make(cls)
    together = threading.Barrier(4, timeout=10 if cls is CircuitBreaker else 0.5)

    def meet():
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait()

    threads = [threading.Thread(target=subject.call, args=(meet,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not together.broken  # all four were inside at once


@both_breakers
def test_reentrant_use_does_not_deadlock(cls):
    subject = make(cls)
    done = []
    thread = threading.Thread(
        target=lambda: done.append(subject.call(subject.call, len, "abc")), daemon=True
    )
    thread.start()
    thread.join(10 if cls is CircuitBreaker else 0.3)
    assert done == [3]


@both_breakers
def test_generators_count_at_exhaustion(cls):
    subject = make(cls)

    @subject
    def items():
        yield 1
        raise ValueError("late")

    stream = items()
    assert next(stream) == 1
    assert subject.state == "closed"
    with contextlib.suppress(ValueError):
        next(stream)
    assert subject.state == "open"


@both_breakers
def test_async_generators_count_at_exhaustion(cls):
    subject = make(cls)

    @subject
    async def items():
        yield 1
        raise ValueError("late")

    async def main():
        stream = items()
        assert await anext(stream) == 1
        assert subject.state == "closed"
        with contextlib.suppress(ValueError):
            await anext(stream)

    asyncio.run(main())
    assert subject.state == "open"


def wall_time():
    return time.time()


def on_wall_time(name, config):
    return ToyBreaker(name, config, clock=wall_time)


@pytest.mark.parametrize("make_breaker", [CircuitBreaker, naive(on_wall_time)])
def test_a_wall_clock_jump_closes_no_circuit(make_breaker, monkeypatch):
    subject = make_breaker("jump", CircuitBreakerConfig(failure_threshold=1, timeout=3600.0))
    trip(subject)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 7200.0)
    called: list[int] = []
    with contextlib.suppress(CircuitOpenError):
        subject.call(called.append, 1)
    assert not called
