"""Permits are exact among threads and tasks, and come back."""

import asyncio
import gc
import threading

import pytest

from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
)


def make(clock, **config):
    return CircuitBreaker(
        "b", CircuitBreakerConfig(**{"failure_threshold": 2} | config), clock=clock
    )


def fail(exc=ValueError):
    raise exc("no")


def failing(subject, times, exc=ValueError):
    for _ in range(times):
        with pytest.raises(exc):
            subject.call(fail, exc)


def test_a_late_release_frees_no_place_of_later_probes(clock):
    breaker = CircuitBreaker(
        "b",
        CircuitBreakerConfig(failure_threshold=1, timeout=5, half_open_max_calls=2),
        clock=clock,
    )

    def take():
        permit = breaker.try_acquire()
        assert permit is not None
        return permit

    from_before = take()
    failing(breaker, 1)
    clock.advance(5)
    old, failed = take(), take()
    failed.failure()
    clock.advance(5)
    held = [take(), take()]
    from_before.release()
    old.release()
    assert breaker.try_acquire() is None
    held.pop().release()
    take()


def test_a_dropped_permit_is_given_back(clock):
    subject = make(clock, failure_threshold=1)
    failing(subject, 1)
    clock.advance(60)
    permit = subject.try_acquire()
    assert permit is not None
    assert subject.try_acquire() is None
    del permit
    gc.collect()
    assert subject.try_acquire() is not None


def test_an_abandoned_generator_gives_its_permit_back(clock):
    subject = make(clock, failure_threshold=1)
    failing(subject, 1)
    clock.advance(60)
    stream = subject(lambda: (yield 1))()
    next(stream)
    assert subject.metrics.probes == 1
    stream.close()
    assert subject.metrics.probes == 0
    assert subject.state == "half_open"


def test_many_threads_lose_no_failure(clock):
    subject = make(clock, failure_threshold=4001)

    def work():
        for _ in range(1000):
            with pytest.raises(ValueError, match="no"):
                subject.call(fail)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert subject.metrics.failures == 4000


def test_probes_are_exact_among_threads_and_tasks_together(clock):
    subject = make(clock, failure_threshold=1, half_open_max_calls=3)
    for _ in range(50):
        failing(subject, 1)
        clock.advance(60)
        got: list[object] = []
        start = threading.Barrier(4, timeout=10)

        def in_thread(got=got, start=start):
            start.wait()
            got.extend(subject.try_acquire() for _ in range(3))

        async def in_tasks(got=got, start=start):
            async def one():
                await asyncio.sleep(0)
                got.append(subject.try_acquire())

            start.wait()
            await asyncio.gather(*(one() for _ in range(5)))

        threads = [threading.Thread(target=in_thread) for _ in range(2)]
        threads += [threading.Thread(target=asyncio.run, args=(in_tasks(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 16
        assert sum(permit is not None for permit in got) == subject.metrics.probes == 3
        got.clear()
        subject.reset()
