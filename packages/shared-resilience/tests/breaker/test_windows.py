"""Rates over a count or time window, and slow calls."""

import pytest

from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CountWindow,
    TimeWindow,
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


def test_count_window(clock):
    subject = make(clock, window=CountWindow(10), minimum_calls=10, failure_rate=0.5)
    failing(subject, 4)
    for _ in range(5):
        subject.call(int)
    assert subject.state == "closed"
    failing(subject, 1)
    assert subject.state == "open"


def test_a_success_that_completes_the_minimum_can_open_it(clock):
    subject = make(clock, window=CountWindow(100), minimum_calls=4, failure_rate=0.5)
    failing(subject, 3)
    assert subject.state == "closed"
    subject.call(int)
    assert subject.state == "open"


def test_a_minimum_above_the_window_is_the_window(clock):
    subject = make(clock, window=CountWindow(3))
    failing(subject, 3)
    assert subject.state == "open"


def test_time_window_forgets(clock):
    subject = make(clock, window=TimeWindow(10.0), minimum_calls=4, failure_rate=0.5)
    failing(subject, 3)
    clock.advance(10.2)
    for _ in range(3):
        subject.call(int)
    failing(subject, 1)
    assert subject.state == "closed"
    metrics = subject.metrics
    assert (metrics.calls, metrics.failures, metrics.failure_rate) == (4, 1, 0.25)
    failing(subject, 2)
    assert subject.state == "open"


def test_slow_calls(clock):
    subject = make(
        clock, window=CountWindow(4), slow_call_duration=2.0, slow_call_rate=0.5, minimum_calls=4
    )
    for seconds in (1, 2, 1):
        subject.call(clock.advance, seconds)
    assert subject.metrics.slow_calls == 1
    subject.call(clock.advance, 3)
    assert subject.state == "open"


def test_without_a_window_a_slow_call_is_a_failure(clock):
    subject = make(clock, slow_call_duration=2.0)
    subject.call(clock.advance, 2)
    subject.call(clock.advance, 2)
    assert subject.state == "open"
