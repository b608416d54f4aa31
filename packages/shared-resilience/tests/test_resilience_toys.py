"""Behaviour that toys get wrong: each check passes with ours and fails with a naive one.

The naive implementations stand right here. They are what one writes in ten minutes.
"""

import asyncio
import contextlib
import functools
import random
import threading
import time
from typing import Any

import pytest

from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    RateLimitedError,
    RateLimiter,
    ResilienceError,
    Retry,
    RetryBudget,
    deadline,
    set_listeners,
    with_timeout,
)
from shared.resilience.testing import VirtualClock, run_virtual


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


class ToyLimiter:
    """A fixed window, and everybody who must wait polls."""

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
        while not self.try_acquire(n):  # noqa: ASYNC110  a toy polls
            await asyncio.sleep(random.uniform(0.0, self.period))


class ToyRetry:
    """A loop with an except for everything."""

    def __init__(self, max_attempts=3, delay=1.0, *, budget=None, timeout=None, clock=None, **_):
        self.attempts, self.delay, self.clock = max_attempts, delay, clock

    def call(self, fn, *args):
        last: BaseException | None = None
        for attempt in range(self.attempts):
            try:
                return fn(*args)
            except BaseException as exc:
                last = exc
                if attempt + 1 < self.attempts:
                    self.clock.sleep(self.delay)
        raise RuntimeError("gave up") from last


def toy_timeout(awaitable, seconds, *default):
    async def run():
        try:
            return await asyncio.wait_for(awaitable, seconds)
        except (TimeoutError, asyncio.CancelledError):
            if default:
                return default[0]
            raise TimeoutError from None

    return run()


CASES: list[Any] = []


def case(ours, toy):
    """Register a check together with what must pass it and what must not."""

    def register(check):
        CASES.append(pytest.param(check, ours, toy, id=check.__name__))
        return check

    return register


def breaker(cls, clock=None, **config):
    options = {"failure_threshold": 1, "timeout": 10.0} | config
    return cls("toys", CircuitBreakerConfig(**options), clock=clock or VirtualClock())


def fail():
    raise ValueError("mine")


def trip(subject):
    with contextlib.suppress(Exception):
        subject.call(fail)


@case(CircuitBreaker, ToyBreaker)
def half_open_admits_exactly_its_probes_among_tasks(cls):
    clock = VirtualClock()
    subject = breaker(cls, clock, half_open_max_calls=3)
    trip(subject)
    clock.advance(10)

    async def main():
        calls = (subject.acall(asyncio.sleep, 1.0) for _ in range(20))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert sum(not isinstance(r, CircuitOpenError) for r in run_virtual(main())) == 3


@case(CircuitBreaker, ToyBreaker)
def half_open_admits_exactly_its_probes_among_threads(cls):
    clock = VirtualClock()
    subject = breaker(cls, clock, half_open_max_calls=2)
    trip(subject)
    clock.advance(10)
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
    turned_away = sum(rejected.acquire(timeout=0.3) for _ in range(6))
    finish.set()
    for thread in threads:
        thread.join()
    assert turned_away == 6
    assert [admitted.acquire(blocking=False) for _ in range(3)] == [True, True, False]


@case(CircuitBreaker, ToyBreaker)
def a_cancelled_probe_gives_its_permit_back(cls):
    clock = VirtualClock()
    subject = breaker(cls, clock)
    trip(subject)
    clock.advance(10)

    async def main():
        task = asyncio.create_task(subject.acall(asyncio.sleep, 100))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return await subject.acall(asyncio.sleep, 0, "probe")

    assert run_virtual(main()) == "probe"


@case(CircuitBreaker, ToyBreaker)
def a_result_from_before_the_last_transition_changes_nothing(cls):
    clock = VirtualClock()
    subject = breaker(cls, clock)

    async def main():
        async def slow_success():
            await asyncio.sleep(1)

        old = asyncio.create_task(subject.acall(slow_success))
        await asyncio.sleep(0)
        with contextlib.suppress(ValueError):
            await subject.acall(fail_async)
        assert subject.state == "open"
        await old

    run_virtual(main())
    assert subject.state == "open"


async def fail_async():
    raise ValueError("mine")


@case(CircuitBreaker, ToyBreaker)
def interrupts_are_never_counted(cls):
    for interrupt in (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError):
        subject = breaker(cls)

        async def stop(interrupt=interrupt):
            raise interrupt

        with contextlib.suppress(BaseException):
            subject.acall(stop).send(None)
        assert subject.state == "closed"


@case(CircuitBreaker, ToyBreaker)
def the_caller_gets_its_own_exception_also_when_it_trips(cls):
    subject = breaker(cls)
    mine = ValueError("mine")

    def raise_mine():
        raise mine

    try:
        subject.call(raise_mine)
    except Exception as exc:
        assert exc is mine  # noqa: PT017  the toy raises another
    assert subject.state == "open"


@case(CircuitBreaker, ToyBreaker)
def refusals_by_policies_are_not_failures(cls):
    subject = breaker(cls)

    def refuse():
        raise RateLimitedError("inner")

    with contextlib.suppress(Exception):
        subject.call(refuse)
    assert subject.state == "closed"


@case(CircuitBreaker, ToyBreaker)
def no_lock_is_held_across_user_code(cls):
    subject = breaker(cls)
    together = threading.Barrier(4, timeout=1)

    def meet():
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait()

    threads = [threading.Thread(target=subject.call, args=(meet,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not together.broken  # all four were inside at once


@case(CircuitBreaker, ToyBreaker)
def reentrant_use_does_not_deadlock(cls):
    subject = breaker(cls)
    done = []
    thread = threading.Thread(
        target=lambda: done.append(subject.call(subject.call, len, "abc")), daemon=True
    )
    thread.start()
    thread.join(0.5)
    assert done == [3]


@case(CircuitBreaker, ToyBreaker)
def generators_count_at_exhaustion(cls):
    subject = breaker(cls)

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


@case(RateLimiter, ToyLimiter)
def every_window_holds_at_most_the_calls(cls):
    clock = VirtualClock()
    limiter = cls(10, 1.0, clock=clock)
    admitted = []
    for wanted, pause in [(1, 0.9), (9, 0.15), (10, 0.3), (10, 0.65)] * 20:
        admitted += [clock() for _ in range(wanted) if limiter.try_acquire()]
        clock.advance(pause)
    assert all(late - early >= 1.0 for early, late in zip(admitted, admitted[10:], strict=False))


@case(RateLimiter, ToyLimiter)
def waiters_are_served_in_their_order(cls):
    clock = VirtualClock()

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


@case(RateLimiter, ToyLimiter)
def a_heavy_waiter_is_not_starved(cls):
    clock = VirtualClock()

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


@case(Retry, ToyRetry)
def a_failed_last_attempt_raises_the_original(cls):
    mine = ValueError("mine")

    def raise_mine():
        raise mine

    try:
        cls(2, 0, clock=VirtualClock()).call(raise_mine)
    except Exception as exc:
        assert exc is mine  # noqa: PT017  the toy raises another


@case(Retry, ToyRetry)
def interrupts_are_never_retried(cls):
    for interrupt in (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError):
        calls: list[int] = []

        def stop(calls=calls, interrupt=interrupt):
            calls.append(1)
            raise interrupt

        with contextlib.suppress(BaseException):
            cls(3, 0, clock=VirtualClock()).call(stop)
        assert len(calls) == 1


@case(Retry, ToyRetry)
def no_pause_goes_past_the_deadline(cls):
    clock = VirtualClock()
    clock.advance(1000.0)
    retry = cls(5, 10.0, jitter="none", timeout=25.0, clock=clock)
    with contextlib.suppress(Exception):
        retry.call(fail)
    assert clock() <= 1000.0 + 25.0


@case(Retry, ToyRetry)
def the_budget_is_a_ratio_of_traffic(cls):
    clock = VirtualClock()
    budget = RetryBudget(ratio=0.1, min_per_second=0, clock=clock)
    calls = []

    def count_and_fail():
        calls.append(1)
        raise ValueError

    for _ in range(100):
        with contextlib.suppress(Exception):
            cls(3, 0, budget=budget, clock=VirtualClock()).call(count_and_fail)
    assert len(calls) == 110


@case(with_timeout, toy_timeout)
def outer_cancellation_stays_a_cancellation(limit):
    async def main():
        task = asyncio.create_task(limit(asyncio.sleep(100), 50.0, "default"))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run_virtual(main())


@case(with_timeout, toy_timeout)
def the_callees_own_timeout_is_not_swallowed(limit):
    async def raises_by_itself():
        await asyncio.sleep(0)
        raise TimeoutError("database")

    async def main():
        try:
            return await limit(raises_by_itself(), 5.0, "default")
        except TimeoutError as exc:
            return str(exc)

    assert run_virtual(main()) == "database"


@case(with_timeout, toy_timeout)
def a_coroutine_is_closed_though_its_task_never_started(limit):
    closed = []

    class Resource:
        def __del__(self):
            closed.append(True)

    async def never_started(resource):
        raise AssertionError("must not run")

    async def main():
        import warnings

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            task = asyncio.create_task(limit(never_started(Resource()), 5.0))
            task.cancel()
            await asyncio.wait([task])
            del task
            return [str(w.message) for w in caught]

    assert run_virtual(main()) == []
    assert closed


@pytest.mark.parametrize(("check", "ours", "toy"), CASES)
def test_ours_does(check, ours, toy):
    check(ours)


@pytest.mark.parametrize(("check", "ours", "toy"), CASES)
@pytest.mark.filterwarnings("ignore")
def test_the_naive_one_does_not(check, ours, toy):
    with pytest.raises((AssertionError, CircuitOpenError, asyncio.CancelledError)):
        check(toy)


def test_a_wall_clock_jump_changes_nothing(monkeypatch):
    subject = CircuitBreaker("jump", CircuitBreakerConfig(failure_threshold=1, timeout=3600))
    limiter = RateLimiter(1, 3600.0)
    limiter.acquire()
    trip(subject)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1e6)
    assert subject.state == "open"
    assert not limiter.try_acquire()


def test_telemetry_that_fails_does_not_fail_the_call(caplog):
    def broken(*args):
        raise RuntimeError("telemetry is down")

    set_listeners([broken])
    subject = breaker(CircuitBreaker)
    subject.on_transition(broken)
    retry = Retry(2, 0, on_retry=broken)
    answers = iter([ValueError("once"), "answer"])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retry.call(ask) == "answer"
    with pytest.raises(ValueError, match="mine"):
        subject.call(fail)
    assert subject.state == "open"
    assert "failed" in caplog.text


def test_errors_share_a_base():
    assert issubclass(CircuitOpenError, ResilienceError)
    assert issubclass(RateLimitedError, ResilienceError)


async def test_with_a_deadline_nothing_gets_more_than_is_left():
    with deadline(0.01), pytest.raises(TimeoutError):
        await with_timeout(asyncio.sleep(5), 5.0)
