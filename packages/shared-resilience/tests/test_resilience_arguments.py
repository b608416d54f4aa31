# ruff: noqa: PLW0108  the case shows its argument by name
"""Bad arguments are refused where an object is made, by name."""

import math
from typing import Any

import pytest

from shared import resilience as r

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
    *[(lambda max_wait: r.Bulkhead(1, 1, max_wait), "max_wait", v) for v in (-1, math.nan)],
    *[(r.AdaptiveLimiter, "initial", v) for v in (0, 10_000, 1.5)],
    *[(r.AdaptiveLimiter, "min_limit", v) for v in (0, -1)],
    *[(r.AdaptiveLimiter, "max_limit", v) for v in (0,)],
    *[(r.AdaptiveLimiter, "algorithm", v) for v in ("reno", 5)],
    *[(r.AdaptiveLimiter, "dropped", v) for v in (5,)],
    *[(r.Gradient, "tolerance", v) for v in (0.5, math.nan)],
    *[(r.Gradient, "smoothing", v) for v in (*NUMBERS, 2)],
    *[(r.Vegas, "smoothing", v) for v in (*NUMBERS, 2)],
    *[(r.AdaptiveThrottle, "k", v) for v in (0.5, math.nan, math.inf)],
    *[(r.AdaptiveThrottle, "window", v) for v in NUMBERS],
    *[(r.AdaptiveThrottle, "rejections", v) for v in (5,)],
    *[(lambda delay: r.Hedge(delay), "delay", v) for v in (-1, math.nan, None)],
    *[(r.Hedge, "percentile", v) for v in (0, 101, -1, math.nan)],
    *[(lambda max_hedges: r.Hedge(1.0, max_hedges=max_hedges), "max_hedges", v) for v in (0, -1, 1.5)],
    *[(lambda on: r.Fallback(0, on=on), "on", v) for v in (5,)],
    *[(lambda batch_size: r.process_in_batches([], batch_size, list), "batch_size", v) for v in (0, -1, 1.5)],
    *[(lambda max_in_flight: r.process_in_batches([], 1, list, max_in_flight), "max_in_flight", v) for v in (0, 1.5)],
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
    *[(lambda config: r.CircuitBreaker("x", config), "config", v) for v in (5, "open")],
    *[(lambda name: r.CircuitBreaker(name), "name", v) for v in (5, None)],
]  # fmt: skip


@pytest.mark.parametrize(("make", "argument", "value"), BAD)
def test_refused_at_construction_by_name(make, argument, value):
    with pytest.raises((ValueError, TypeError), match=argument):
        make(**{argument: value})


@pytest.mark.parametrize(
    ("make", "argument", "value"), [case for case in BAD if type(case[2]) in {int, float}]
)
def test_a_number_out_of_range_is_a_value_error(make, argument, value):
    expected: type[Exception] = ValueError
    if argument in {"window", "record", "ignore", "expected_exceptions", "record_result", "config"}:
        expected = TypeError
    if argument in {"exceptions", "retry_if_result", "on_retry", "budget", "retry_after", "name"}:
        expected = TypeError
    if argument in {
        "dropped",
        "rejections",
        "on",
        "fault",
        "processor",
        "items",
        "retry",
        "breaker",
    }:
        expected = TypeError
    if argument == "window" and make is not r.CircuitBreakerConfig:
        expected = ValueError
    with pytest.raises(expected):
        make(**{argument: value})
