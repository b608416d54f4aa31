"""What counts as a failure, as an answer, or as nothing."""

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


def test_what_is_recorded_and_ignored(clock):
    subject = make(clock, failure_threshold=1, record=(OSError,), ignore=(FileNotFoundError,))
    failing(subject, 3, FileNotFoundError)
    failing(subject, 3, ValueError)
    assert subject.state == "closed"
    failing(subject, 1, ConnectionError)
    assert subject.state == "open"


def test_an_ignored_failure_neither_counts_nor_resets(clock):
    subject = make(clock, ignore=(KeyError,))
    failing(subject, 1)
    failing(subject, 1, KeyError)
    failing(subject, 1)
    assert subject.state == "open"


def test_predicates_and_results(clock):
    subject = make(
        clock,
        failure_threshold=1,
        record=lambda exc: "bad" in str(exc),
        record_result=lambda status: status >= 500,
    )
    failing(subject, 1)
    assert subject.call(int, "404") == 404
    assert subject.state == "closed"
    assert subject.call(int, "503") == 503
    assert subject.state == "open"


def test_a_block_has_no_result_to_judge(clock):
    subject = make(clock, failure_threshold=1, record_result=lambda answer: answer.status >= 500)
    with subject:
        pass
    permit = subject.try_acquire()
    assert permit is not None
    permit.success()
    assert list(subject(lambda: (yield 1))()) == [1]
    assert subject.state == "closed"


def test_a_predicate_that_fails_leaks_no_permit(clock):
    subject = make(clock, failure_threshold=1, record_result=lambda result: 1 / result)
    failing(subject, 1)
    clock.advance(60)
    with pytest.raises(ZeroDivisionError):
        subject.call(int, 0)
    assert subject.metrics.probes == 0
