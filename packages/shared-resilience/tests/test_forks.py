"""A child that is forked while other threads are in the middle of a policy."""

import os
import signal
import threading
import time
import warnings
from typing import Any

import pytest

from shared import resilience as r

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
SECONDS = 20  # after which a child that hangs is killed


def in_child(fn: Any) -> str:
    """Run in a forked child; return what it returns, as text, or "killed"."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        try:
            os.write(writing, repr(fn()).encode())
        except BaseException as exc:
            os.write(writing, repr(exc).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(pid, 0)
    return text or "killed"


class Clock:
    """Stops the thread that reads it, in this process, when it is told to."""

    def __init__(self):
        self.now = 1000.0
        self.stopping = False
        self.stopped, self.go_on = threading.Event(), threading.Event()

    def __call__(self):
        if self.stopping:
            self.stopping = False
            self.stopped.set()
            self.go_on.wait(SECONDS)
        return self.now


@pytest.fixture
def clock():
    return Clock()


def forked_inside(clock, use, child):
    """Fork while another thread is inside `use`; return what the child returns."""
    clock.stopping = True
    thread = threading.Thread(target=use, daemon=True)
    thread.start()
    assert clock.stopped.wait(SECONDS), "the thread did not read the clock"
    try:
        return in_child(child)
    finally:
        clock.go_on.set()
        thread.join(SECONDS)


def test_a_token_bucket(clock):
    bucket = r.TokenBucket(1, 3, clock=clock)
    assert bucket.try_acquire()
    answer = forked_inside(
        clock, bucket.try_acquire, lambda: [bucket.try_acquire() for _ in range(3)]
    )
    assert answer == "[True, True, False]"


def test_a_rate_limiter_keeps_what_was_taken_and_loses_no_slot(clock):
    limiter = r.RateLimiter(2, 10.0, clock=clock)
    assert limiter.try_acquire(2)
    clock.now += 10

    def child():
        clock.now += 10
        return [limiter.try_acquire() for _ in range(3)]

    # The other thread has taken a slot out, and was about to put it back.
    assert forked_inside(clock, limiter.try_acquire, child) == "[True, True, False]"


def test_a_rate_limiter_with_waiters(clock):
    limiter = r.RateLimiter(1, 60.0)
    limiter.acquire()
    waiting = threading.Thread(target=limiter(lambda: None), daemon=True)
    waiting.start()
    while not limiter._waiting:
        time.sleep(0.001)
    limiter.period = 0.0
    assert in_child(limiter.try_acquire) == "True"


@pytest.mark.parametrize("make", [r.Bulkhead, lambda n: r.AdaptiveLimiter(initial=n)], ids=["fixed", "adaptive"])  # fmt: skip
def test_slots_of_other_threads_are_free(make):
    limit: Any = make(2)
    inside, leave = threading.Barrier(3), threading.Event()

    def hold():
        with limit:
            inside.wait(SECONDS)
            leave.wait(SECONDS)

    threads = [threading.Thread(target=hold, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(SECONDS)

    def child():
        with limit, limit:
            return limit.active

    assert in_child(child) == "2"
    leave.set()
    for thread in threads:
        thread.join(SECONDS)
    assert limit.active == 0


@pytest.mark.parametrize("make", [r.Bulkhead, lambda n: r.AdaptiveLimiter(initial=n)], ids=["fixed", "adaptive"])  # fmt: skip
def test_the_slot_of_the_thread_that_forks_comes_back_once(make):
    limit: Any = make(1)

    def child():
        limit.__exit__(None, None, None)
        with limit:
            with pytest.raises(r.BulkheadFullError):
                limit.call(int)
            return limit.active

    with limit:
        assert in_child(child) == "1"
        assert limit.active == 1


def failing(breaker):
    with pytest.raises(ValueError, match="invalid"):
        breaker.call(int, "x")


def test_a_breaker_stays_open_and_probes_again(clock):
    breaker = r.CircuitBreaker("x", r.CircuitBreakerConfig(1, 60), clock=clock)
    failing(breaker)

    def child():
        before = breaker.state
        clock.now += 60
        breaker.call(int)
        return str(before), str(breaker.state)

    answer = forked_inside(clock, lambda: breaker.state, child)
    assert answer == "('open', 'closed')"
    assert breaker.state == "open"


def test_a_probe_of_another_thread_keeps_no_child_from_probing(clock):
    breaker = r.CircuitBreaker("x", r.CircuitBreakerConfig(1, 60), clock=clock)
    failing(breaker)
    clock.now += 60
    probe = breaker.try_acquire()
    assert probe is not None

    def child():
        breaker.call(int)
        probe.failure()  # the parent's
        return str(breaker.state)

    assert in_child(child) == "'closed'"
    assert breaker.metrics.probes == 1


def test_a_breaker_with_a_window_keeps_its_counts(clock):
    config = r.CircuitBreakerConfig(window=r.TimeWindow(60), minimum_calls=3, failure_rate=0.5)
    breaker = r.CircuitBreaker("x", config, clock=clock)
    failing(breaker)
    failing(breaker)

    def child():
        before = breaker.metrics.calls
        failing(breaker)
        return before, str(breaker.state)

    answer = forked_inside(clock, lambda: breaker.call(int), child)
    assert answer == "(2, 'open')"


def test_a_registry(clock):
    registry = r.CircuitBreakerRegistry(clock=clock)
    breaker = registry.get("a")
    answer = forked_inside(clock, lambda: registry.get("b"), lambda: registry.get("a") is breaker)
    assert answer == "True"


def test_a_budget(clock):
    budget = r.RetryBudget(0.5, 0, clock=clock)
    budget.request()
    budget.request()
    answer = forked_inside(clock, budget.request, lambda: [budget.spend(), budget.spend()])
    assert answer == "[True, False]"


def test_functions_left_behind_in_threads(clock):
    leave = threading.Event()
    run = r.with_timeout(0.001, thread=True, max_threads=1)
    with pytest.raises(TimeoutError):
        run(leave.wait)(SECONDS)
    run.seconds = SECONDS / 2
    assert in_child(run(int)) == "0"
    leave.set()


def test_listeners_that_are_being_made(monkeypatch, clock):
    from shared.resilience._events import listeners, telemetry

    def slow():
        clock()
        return ()

    monkeypatch.setattr(listeners, "default_listeners", slow)
    monkeypatch.setattr(telemetry, "_listeners", None)
    assert forked_inside(clock, r.get_listeners, r.get_listeners) == "()"


def test_no_child_hangs_while_threads_use_everything():
    """Whatever line the threads are at: a few forks under load."""
    policies: list[Any] = [
        *(r.RateLimiter(10**6), r.TokenBucket(10**6), r.Bulkhead(9, 9), r.AdaptiveThrottle()),
        r.CircuitBreaker("x", r.CircuitBreakerConfig(window=r.TimeWindow(1), minimum_calls=10**9)),
        *(r.Retry(2, 0, budget=r.RetryBudget()), r.AdaptiveLimiter(max_queue=9)),
    ]
    over = threading.Event()

    def use():
        while not over.is_set():
            for policy in policies:
                policy.call(int)

    threads = [threading.Thread(target=use, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            assert in_child(lambda: [policy.call(int) for policy in policies]) == repr([0] * 7)
    finally:
        over.set()
        for thread in threads:
            thread.join(SECONDS)


def test_threads_and_redis(server):
    import asyncio

    limiter = r.RedisRateLimiter(server.client(), "forked", 100, timeout=5)
    breaker = r.RedisCircuitBreaker(server.client(), "forked", timeout=5)

    async def both():
        await limiter.acquire()
        return await breaker.acall(asyncio.sleep, 0, "page"), await limiter.atry_acquire()

    assert asyncio.run(both()) == ("page", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert in_child(lambda: asyncio.run(both())) == "('page', True)"
