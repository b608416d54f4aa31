"""The circuit opens, rejects, recovers, and can be forced."""

import pickle
import threading

import pytest

from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
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


def test_it_opens_rejects_and_recovers(clock):
    subject = make(clock)
    failing(subject, 2)
    with pytest.raises(CircuitOpenError) as caught:
        subject.call(int)
    assert caught.value.retry_after == 60.0
    assert caught.value.name == "b"
    assert isinstance(caught.value.last_exception, ValueError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.name, copy.retry_after, str(copy)) == ("b", 60.0, str(caught.value))
    clock.advance(60)
    assert subject.state == "half_open"
    assert subject.call(int) == 0
    assert subject.state == "closed"
    assert subject.last_exception is None
    assert subject.metrics.opened == 1
    assert subject.metrics.rejected == 1


def test_a_success_between_failures_starts_the_count_again(clock):
    subject = make(clock)
    for _ in range(5):
        failing(subject, 1)
        subject.call(int)
    assert subject.state == "closed"


def test_a_failing_probe_opens_it_for_a_whole_timeout_again(clock):
    subject = make(clock)
    failing(subject, 2)
    clock.advance(60)
    failing(subject, 1)
    clock.advance(59)
    assert subject.state == "open"


def test_a_block_that_fails_counts(clock):
    subject = make(clock, failure_threshold=1)
    with pytest.raises(ValueError, match="no"), subject:
        fail()
    with pytest.raises(CircuitOpenError), subject:
        raise AssertionError("must not be entered")


def test_nested_blocks_end_their_own_permits(clock):
    outer, inner = make(clock), make(clock)
    with outer, inner, outer:
        pass
    with pytest.raises(ValueError, match="no"), outer, inner:
        fail()
    assert outer.metrics.failures == inner.metrics.failures == 1


def test_forced_states(clock):
    subject = make(clock)
    subject.force_open()
    clock.advance(1e6)
    with pytest.raises(CircuitOpenError, match="FORCED-OPEN"):
        subject.call(int)
    subject.disable()
    failing(subject, 10)
    assert (subject.state, subject.metrics.failures) == ("disabled", 0)
    subject.metrics_only()
    failing(subject, 10)
    assert (subject.state, subject.metrics.failures) == ("metrics_only", 10)
    subject.reset()
    assert (subject.state, subject.metrics.failures) == ("closed", 0)


def test_transitions_are_told_in_order_outside_the_lock(clock, events):
    subject = make(clock, failure_threshold=1)
    heard = []

    @subject.on_transition
    def hook(breaker, old, new):
        heard.append((str(old), str(new)))
        thread = threading.Thread(target=lambda: breaker.state)  # would hang if it were held
        thread.start()
        thread.join(5)
        assert not thread.is_alive()

    failing(subject, 1)
    clock.advance(60)
    subject.call(int)
    assert heard == [("closed", "open"), ("open", "half_open"), ("half_open", "closed")]
    assert [event.kind for event in events] == ["opened", "half_opened", "closed"]
