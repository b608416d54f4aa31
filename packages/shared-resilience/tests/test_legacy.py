"""Names of earlier packages keep working."""

import asyncio
import functools

import pytest

from shared.resilience import (
    AdaptiveLimiter,
    AdaptiveThrottle,
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerError,
    CircuitOpenError,
    Fallback,
    ProviderFallback,
    async_retry,
    get_circuit_breaker,
    reset_circuit_breaker,
    retry_with_backoff,
    with_circuit_breaker,
)


def fail(exc=ValueError):
    raise exc("no")


@pytest.fixture
def shared():
    name = "shared-name"
    yield name
    reset_circuit_breaker(name)


def test_functions_share_a_breaker_by_name(shared):
    @with_circuit_breaker(shared)
    def broken():
        fail()

    for _ in range(5):
        with pytest.raises(ValueError, match="no"):
            broken()
    assert get_circuit_breaker(shared).state == "open"
    reset_circuit_breaker(shared)
    assert get_circuit_breaker(shared).state == "closed"


def test_a_name_that_was_never_used():
    with pytest.raises(KeyError, match="unknown"):
        reset_circuit_breaker("unknown")


def test_execute_is_call():
    assert CircuitBreaker("x").execute(int, "3") == 3


def test_circuit_breaker_error_is_circuit_open_error():
    assert CircuitBreakerError is CircuitOpenError


def test_recovery_timeout_is_timeout():
    config = CircuitBreakerConfig(recovery_timeout=3)
    assert config.timeout == config.recovery_timeout == 3.0
    with pytest.raises(ValueError, match="timeout and recovery_timeout are the same argument"):
        CircuitBreakerConfig(timeout=1, recovery_timeout=1)


def made(cls, **arguments):
    return cls(**arguments)


@pytest.mark.parametrize("word", ["exceptions", "record", "expected_exceptions"])
def test_a_breaker_accepts_every_word_for_its_exceptions(word):
    config = made(CircuitBreakerConfig, **{word: KeyError})
    assert config.exceptions == config.record == config.expected_exceptions == (KeyError,)


def raised_by(policy, exc):
    with pytest.raises(type(exc)):
        policy.call(fail, type(exc))


@pytest.mark.parametrize("word", ["exceptions", "dropped"])
def test_an_adaptive_limiter_accepts_both_words(word):
    limiter = made(AdaptiveLimiter, algorithm="vegas", initial=10, **{word: OSError})
    raised_by(limiter, TimeoutError())
    raised_by(limiter, OSError())
    raised_by(limiter, ValueError())
    assert limiter.limit == 8


@pytest.mark.parametrize("word", ["exceptions", "rejections"])
def test_a_throttle_accepts_both_words(word):
    throttle = made(AdaptiveThrottle, rng=lambda: 0.99, **{word: OSError})
    for _ in range(9):
        raised_by(throttle, ValueError())
    assert throttle.probability == 0
    for _ in range(99):
        raised_by(throttle, OSError())
    assert throttle.probability > 0.8


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (CircuitBreakerConfig, "record"),
        (CircuitBreakerConfig, "expected_exceptions"),
        (AdaptiveLimiter, "dropped"),
        (AdaptiveThrottle, "rejections"),
        (functools.partial(Fallback, 0), "on"),
        (functools.partial(ProviderFallback, "a"), "on"),
    ],
)
def test_one_word_at_a_time(make, word):
    with pytest.raises(ValueError, match=f"exceptions and {word} are the same argument"):
        make(exceptions=KeyError, **{word: KeyError})


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, failures, exc=ConnectionError):
        self.failures, self.exc, self.calls = failures, exc, 0

    def __call__(self, *args):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.exc(f"number {self.calls}")
        return "answer"


def test_retry_with_backoff_counts_retries(clock):
    @retry_with_backoff(max_retries=0, backoff_factor=2.0, clock=clock)
    def once():
        return Flaky(1)()

    with pytest.raises(ConnectionError):
        once()
    flaky = Flaky(2)
    assert retry_with_backoff(2, 3.0, delay=1.0, jitter="none", clock=clock)(flaky)() == "answer"
    assert clock() == 1000.0 + 1 + 3


def test_async_retry_decorates_async_functions_only(clock):
    flaky = Flaky(1)

    @async_retry
    async def plain():
        return 3

    @async_retry(max_attempts=2, delay=0)
    async def twice():
        return flaky()

    assert asyncio.run(plain()) == 3
    assert asyncio.run(twice()) == "answer"
    with pytest.raises(TypeError, match="async_retry"):
        async_retry(max_attempts=2)(fail)
