"""A user's predicate that raises does not replace the failure, in any policy."""

from typing import Any

import pytest

import shared.resilience as r


class OwnError(Exception):
    pass


def raising(*args):
    raise ZeroDivisionError


def fail(*args):
    raise OwnError("the call's own")


async def afail(*args):
    raise OwnError("the call's own")


BROKEN: dict[str, Any] = {
    "retry": lambda: r.Retry(3, 0, exceptions=raising),
    "breaker": lambda: r.CircuitBreaker("x", r.CircuitBreakerConfig(exceptions=raising)),
    "breaker, ignore": lambda: r.CircuitBreaker("x", r.CircuitBreakerConfig(ignore=raising)),
    "fallback": lambda: r.Fallback(0, exceptions=raising),
    "providers": lambda: r.ProviderFallback("a", ["b"], exceptions=raising),
    "adaptive": lambda: r.AdaptiveLimiter(exceptions=raising),
    "throttle": lambda: r.AdaptiveThrottle(exceptions=raising),
    "pipeline": lambda: r.Pipeline.standard(
        "x", exceptions=raising, total_timeout=None, attempt_timeout=None
    ),
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
async def test_a_predicate_that_raises(make, caplog):
    policy = make()
    with pytest.raises(OwnError):
        policy.call(fail)
    with pytest.raises(OwnError):
        await policy.acall(afail)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("word", ["exceptions", "ignore"])
def test_a_failure_that_nobody_could_judge_counts(word):
    options: Any = {word: raising}
    breaker = r.CircuitBreaker("x", r.CircuitBreakerConfig(1, **options))
    with pytest.raises(OwnError):
        breaker.call(fail)
    assert breaker.state == "open"


@pytest.mark.parametrize("hook", ["on_retry", "listener", "on_transition"])
def test_a_hook_that_raises(hook, events):
    policy: Any = r.Retry(2, 0, on_retry=raising)
    if hook == "listener":
        r.set_listeners([raising])
    if hook == "on_transition":
        policy = r.CircuitBreaker("x", r.CircuitBreakerConfig(1))
        policy.on_transition(raising)
    with pytest.raises(OwnError):
        policy.call(fail)


class Algorithm:
    def __init__(self, answer):
        self.answer = answer

    def update(self, limit, seconds, active, *, dropped):
        return self.answer()


@pytest.mark.parametrize(
    "answer", [raising, lambda: float("nan"), lambda: None, lambda: "9"], ids=["raises", "nan", "none", "text"]
)  # fmt: skip
def test_an_algorithm_that_fails_keeps_no_slot(answer):
    limiter = r.AdaptiveLimiter(Algorithm(answer), initial=1, exceptions=Exception)
    with pytest.raises(OwnError):
        limiter.call(fail)
    assert limiter.call(int) == 0
    assert (limiter.limit, limiter.active) == (1, 0)


def test_an_algorithm_without_a_bound_gets_the_largest_limit():
    limiter = r.AdaptiveLimiter(Algorithm(lambda: float("inf")), max_limit=30)
    limiter.call(int)
    assert limiter.limit == 30
