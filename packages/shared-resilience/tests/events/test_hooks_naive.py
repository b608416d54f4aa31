"""Behaviour that toys get wrong, telemetry: a hook that fails must not fail the call."""

import functools

import pytest
import stamina.instrumentation

from shared.resilience import (
    AdaptiveLimiter,
    Bulkhead,
    BulkheadFullError,
    CircuitBreaker,
    CircuitBreakerConfig,
    Retry,
    set_listeners,
)


def naive(twin):
    return pytest.param(twin, marks=pytest.mark.xfail(raises=AssertionError, strict=True))


def broken(*args):
    raise RuntimeError("telemetry is down")


class ToyBreaker:
    """Tells its hook as it goes along."""

    def __init__(self, name, config):
        self.state, self.hook = "closed", None

    def on_transition(self, hook):
        self.hook = hook

    def call(self, fn):
        try:
            return fn()
        except ValueError:
            if self.hook is not None:
                self.hook(self, "closed", "open")
            self.state = "open"
            raise


class ToyRetry:
    """Tells its hook between two attempts."""

    def __init__(self, max_attempts, delay, *, on_retry=None):
        self.attempts, self.on_retry = max_attempts, on_retry

    def call(self, fn):
        for attempt in range(1, self.attempts + 1):
            try:
                return fn()
            except ValueError as exc:
                if attempt == self.attempts:
                    raise
                if self.on_retry is not None:
                    self.on_retry(attempt, exc)
        raise AssertionError("unreachable")


class BareStamina(ToyRetry):
    """stamina itself: what its hooks raise comes out of the call."""

    def call(self, fn):
        return stamina.retry(on=ValueError, attempts=self.attempts, wait_initial=0, wait_jitter=0)(
            fn
        )()


def outcome(call, fn):
    """Return what came of a call: its result or its exception."""
    try:
        return call(fn)
    except Exception as exc:
        return exc


def once_failing():
    answers = iter([ValueError("once"), "answer"])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


@pytest.mark.parametrize("cls", [CircuitBreaker, naive(ToyBreaker)])
def test_a_failing_transition_hook(cls):
    mine = ValueError("mine")

    def fail():
        raise mine

    set_listeners([broken])
    subject = cls("toys", CircuitBreakerConfig(failure_threshold=1))
    subject.on_transition(broken)
    assert outcome(subject.call, fail) is mine
    assert subject.state == "open"


@pytest.mark.parametrize("cls", [Retry, naive(ToyRetry)])
def test_a_failing_on_retry_hook(cls):
    set_listeners([broken])
    assert outcome(cls(2, 0, on_retry=broken).call, once_failing()) == "answer"


@pytest.mark.parametrize("cls", [Retry, naive(BareStamina)])
def test_a_failing_hook_of_staminas(cls):
    hooks = stamina.instrumentation.get_on_retry_hooks()
    stamina.instrumentation.set_on_retry_hooks([broken])
    try:
        assert outcome(cls(2, 0).call, once_failing()) == "answer"
    finally:
        stamina.instrumentation.set_on_retry_hooks(hooks)


def test_failing_listeners_of_the_other_policies(caplog):
    set_listeners([broken, functools.partial(broken, 1)])
    with Bulkhead(1) as bulkhead, pytest.raises(BulkheadFullError):
        bulkhead.call(int)

    class Up:
        def update(self, limit, seconds, active, *, dropped):
            return limit + 1

    assert AdaptiveLimiter(Up(), initial=5).call(int) == 0
    assert "failed" in caplog.text
