# ruff: noqa: PLW0108 - the case shows its argument by name
"""Bad arguments are refused where an object is made, by name."""

import functools
import inspect
import math
import time
from typing import Any

import pytest
import redis

from shared import resilience as r

CLIENT = redis.Redis(port=1)  # no server listens there, and none is needed


def breaker(name="x", config=None, **options):
    return r.CircuitBreaker(name, config, **options)


def redis_limiter(name="x", calls=3, **options):
    return r.RedisRateLimiter(CLIENT, name, calls, **options)


def redis_breaker(name="x", config=None, **options):
    return r.RedisCircuitBreaker(CLIENT, name, config, **options)


def standard(name="x", **options):
    return r.Pipeline.standard(name, **options)


def limiter(**options):
    return r.RateLimiter(3, **options)


def bucket(**options):
    return r.TokenBucket(3, **options)


def bulkhead(**options):
    return r.Bulkhead(3, **options)


def hedge(**options):
    return r.Hedge(1.0, **options)


def fallback(**options):
    return r.Fallback(0, **options)


def providers(**options):
    return r.ProviderFallback("a", **options)


CLOCKED: list[Any] = [
    *(breaker, r.CircuitBreakerRegistry, r.Retry, r.RetryBudget, limiter, bucket),
    *(bulkhead, r.AdaptiveLimiter, r.AdaptiveThrottle, hedge, functools.partial(r.deadline, 5.0)),
]
NAMED: list[Any] = [
    *(breaker, redis_breaker, r.Retry, limiter, bucket, redis_limiter, bulkhead),
    *(r.AdaptiveLimiter, r.AdaptiveThrottle, hedge, fallback, providers, r.Chaos, r.Pipeline),
    standard,
]
NUMBERS: list[Any] = [0, -1, -0.5, math.nan, math.inf]
BAD: list[Any] = [
    *[(r.CircuitBreakerConfig, "failure_threshold", v) for v in (0, -1, 1.5, "5", True, None)],
    *[(r.CircuitBreakerConfig, "timeout", v) for v in (*NUMBERS, "60", True)],
    *[(r.CircuitBreakerConfig, "recovery_timeout", v) for v in (0, -1)],
    *[(r.CircuitBreakerConfig, "failure_rate", v) for v in (*NUMBERS, 1.01, 50, "0.5")],
    *[(r.CircuitBreakerConfig, "minimum_calls", v) for v in (0, -1, 2.5)],
    *[(r.CircuitBreakerConfig, "slow_call_duration", v) for v in (*NUMBERS, "2")],
    *[(r.CircuitBreakerConfig, "slow_call_rate", v) for v in (*NUMBERS, 2)],
    *[(r.CircuitBreakerConfig, "half_open_max_calls", v) for v in (0, -1, 1.5)],
    *[(r.CircuitBreakerConfig, "success_threshold", v) for v in (0, -1, 1.5)],
    *[(r.CircuitBreakerConfig, "window", v) for v in (100, "60s")],
    *[(r.CircuitBreakerConfig, "record", v) for v in (5, (5,), (KeyboardInterrupt,), "ValueError")],
    *[(r.CircuitBreakerConfig, "exceptions", v) for v in (5, (5,), (KeyboardInterrupt,), "ValueError")],
    *[(r.CircuitBreakerConfig, "ignore", v) for v in (5, (BaseException,))],
    *[(r.CircuitBreakerConfig, "expected_exceptions", v) for v in (5,)],
    *[(r.CircuitBreakerConfig, "record_result", v) for v in (5,)],
    *[(r.CountWindow, "size", v) for v in (0, -1, 1.5)],
    *[(r.TimeWindow, "seconds", v) for v in NUMBERS],
    *[(r.CircuitBreakerRegistry, "max_idle", v) for v in NUMBERS],
    *[(r.Retry, "max_attempts", v) for v in (0, -1, 1.5, "3")],
    *[(r.Retry, "delay", v) for v in (-1, math.nan, math.inf, "1")],
    *[(r.Retry, "backoff", v) for v in NUMBERS],
    *[(r.Retry, "max_delay", v) for v in (-1, math.nan)],
    *[(r.Retry, "jitter", v) for v in ("some", None, True)],
    *[(r.Retry, "exceptions", v) for v in (5, (KeyboardInterrupt,), (5,))],
    *[(r.Retry, "retry_if_result", v) for v in (5,)],
    *[(r.Retry, "on_retry", v) for v in (5,)],
    *[(r.Retry, "budget", v) for v in (0.1,)],
    *[(r.Retry, "timeout", v) for v in NUMBERS],
    *[(r.Retry, "attempt_timeout", v) for v in NUMBERS],
    *[(r.Retry, "retry_after", v) for v in (5,)],
    *[(r.RetryBudget, "ratio", v) for v in (-0.1, math.nan, "1")],
    *[(r.RetryBudget, "min_per_second", v) for v in (-1, math.inf)],
    *[(r.RetryBudget, "window", v) for v in NUMBERS],
    *[(lambda requests_per_minute: r.rate_limit(requests_per_minute), "requests_per_minute", v) for v in (0, -5, 1.5)],
    *[(lambda calls: r.RateLimiter(calls), "calls", v) for v in (0, -1, 1.5, "5")],
    *[(lambda period: r.RateLimiter(1, period), "period", v) for v in NUMBERS],
    *[(lambda rate: r.TokenBucket(rate), "rate", v) for v in NUMBERS],
    *[(lambda capacity: r.TokenBucket(1, capacity), "capacity", v) for v in (*NUMBERS, 0.5)],
    *[(lambda max_concurrent: r.Bulkhead(max_concurrent), "max_concurrent", v) for v in (0, -1, 1.5)],
    *[(lambda max_queue: r.Bulkhead(1, max_queue), "max_queue", v) for v in (-1, 1.5)],
    *[(lambda max_wait: r.Bulkhead(1, 1, max_wait=max_wait), "max_wait", v) for v in (-1, math.nan)],
    *[(r.AdaptiveLimiter, "initial", v) for v in (0, 10_000, 1.5)],
    *[(r.AdaptiveLimiter, "min_limit", v) for v in (0, -1)],
    *[(r.AdaptiveLimiter, "max_limit", v) for v in (0,)],
    *[(r.AdaptiveLimiter, "algorithm", v) for v in ("reno", 5)],
    *[(r.AdaptiveLimiter, word, v) for word in ("dropped", "exceptions") for v in (5,)],
    *[(r.Gradient, "tolerance", v) for v in (0.5, math.nan)],
    *[(r.Gradient, "smoothing", v) for v in (*NUMBERS, 2)],
    *[(r.Vegas, "smoothing", v) for v in (*NUMBERS, 2)],
    *[(r.AdaptiveThrottle, "k", v) for v in (0.5, math.nan, math.inf)],
    *[(r.AdaptiveThrottle, "window", v) for v in NUMBERS],
    *[(r.AdaptiveThrottle, word, v) for word in ("rejections", "exceptions") for v in (5,)],
    *[(lambda delay: r.Hedge(delay), "delay", v) for v in (-1, math.nan, None)],
    *[(r.Hedge, "percentile", v) for v in (0, 101, -1, math.nan)],
    *[(lambda max_hedges: r.Hedge(1.0, max_hedges=max_hedges), "max_hedges", v) for v in (0, -1, 1.5)],
    *[(make, word, v) for make in (fallback, providers) for word in ("on", "exceptions") for v in (5,)],
    *[(lambda batch_size: r.process_in_batches([], batch_size, list), "batch_size", v) for v in (0, -1, 1.5)],
    *[(lambda max_in_flight: r.process_in_batches([], 1, list, max_in_flight=max_in_flight), "max_in_flight", v) for v in (0, 1.5)],
    *[(lambda processor: r.process_in_batches([], 1, processor), "processor", v) for v in (5,)],
    *[(lambda items: r.process_in_batches(items, 1, list), "items", v) for v in (5,)],
    *[(r.Chaos, "fault_rate", v) for v in (-0.1, 1.1, math.nan)],
    *[(r.Chaos, "latency", v) for v in (-1, (2, 1), math.inf)],
    *[(r.Chaos, "latency_rate", v) for v in (-1, 2)],
    *[(r.Chaos, "fault", v) for v in (5,)],
    *[(lambda timeout: r.with_timeout(timeout), "timeout", v) for v in (*NUMBERS, "5")],
    *[(lambda max_threads: r.with_timeout(1.0, max_threads=max_threads), "max_threads", v) for v in (0, -1)],
    *[(lambda seconds: r.deadline(seconds), "seconds", v) for v in (-1, math.nan, "5")],
    *[(r.Pipeline, "total_timeout", v) for v in NUMBERS],
    *[(r.Pipeline, "attempt_timeout", v) for v in NUMBERS],
    *[(r.Pipeline, "retry", v) for v in (3, "retry")],
    *[(r.Pipeline, "breaker", v) for v in (3,)],
    *[(lambda budget: r.Hedge(1.0, budget=budget), "budget", v) for v in (0.1, "x")],
    *[(lambda primary: r.ProviderFallback(primary), "primary", v) for v in (5, None)],
    *[(lambda fallbacks: r.ProviderFallback("a", fallbacks), "fallbacks", v) for v in (5, None, "b", [5])],
    *[(lambda argument: r.with_fallback("a", argument=argument), "argument", v) for v in (5, [])],
    *[(r.AdaptiveThrottle, "rng", v) for v in (5, 0.5)],
    *[(r.Chaos, "sleep", v) for v in (5, None)],
    *[(standard, "attempts", v) for v in (0, 1.5, None)],
    *[(standard, "recovery_timeout", v) for v in (*NUMBERS, None)],
    *[(standard, "exceptions", v) for v in (5, "OSError")],
    *[(standard, "max_concurrent", v) for v in (0, 1.5)],
    *[(redis_limiter, "calls", v) for v in (0, 1.5, "5")],
    *[(redis_limiter, "period", v) for v in (*NUMBERS, 0.0001)],
    *[(redis_limiter, "local_calls", v) for v in (0, 1.5)],
    *[(redis_limiter, "prefix", v) for v in (5, None)],
    *[(redis_breaker, "lease", v) for v in NUMBERS],
    *[(redis_breaker, "prefix", v) for v in (5, None)],
    *[(make, argument, v) for make in (redis_limiter, redis_breaker)
      for argument in ("timeout", "retry_interval") for v in NUMBERS],
    *[(make, "on_error", v) for make in (redis_limiter, redis_breaker) for v in ("ignore", 5, None)],
    *[(make, "config", v) for make in (breaker, redis_breaker, r.CircuitBreakerRegistry) for v in (5, "open")],
    *[(make, "name", v) for make in NAMED for v in (5, None)],
    *[(make, "clock", v) for make in CLOCKED for v in (5, None)],
]  # fmt: skip


@pytest.mark.parametrize(("make", "argument", "value"), BAD)
def test_refused_at_construction_by_name(make, argument, value):
    with pytest.raises((ValueError, TypeError), match=argument):
        make(**{argument: value})


NOT_NUMBERS = {
    *("argument", "breaker", "budget", "clock", "config", "dropped", "exceptions"),
    *("expected_exceptions", "fallbacks", "fault", "ignore", "items", "name", "on", "on_retry"),
    *("prefix", "primary", "processor", "record", "record_result", "rejections", "retry"),
    *("retry_after", "retry_if_result", "rng", "sleep"),
}


@pytest.mark.parametrize(
    ("make", "argument", "value"),
    [
        (make, argument, value)
        for make, argument, value in BAD
        if type(value) in {int, float}
        and argument not in NOT_NUMBERS
        and (make, argument) != (r.CircuitBreakerConfig, "window")
    ],
)
def test_a_number_out_of_range_is_a_value_error(make, argument, value):
    with pytest.raises(ValueError, match=argument):
        make(**{argument: value})


@pytest.mark.parametrize(
    "name",
    [
        "AdaptiveLimiter",
        "AdaptiveThrottle",
        "Bulkhead",
        "CircuitBreaker",
        "CircuitBreakerRegistry",
        "Hedge",
        "RateLimiter",
        "Retry",
        "RetryBudget",
        "TokenBucket",
        "deadline",
        "rate_limit",
    ],
)
def test_every_policy_takes_a_clock_and_the_monotonic_one_by_default(name):
    assert inspect.signature(getattr(r, name)).parameters["clock"].default is time.monotonic
