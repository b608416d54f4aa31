"""Every time argument: a number, a timedelta, None, infinity; served, or refused by name at once."""

import asyncio
import math
from datetime import timedelta
from typing import Any

import pytest
import redis

from shared import resilience as r

CLIENT = redis.Redis(port=1)  # no server listens there, and none is needed


def config(**options):
    return r.CircuitBreakerConfig(**options)


# What makes it with the time, what it means to the object, and whether 0, None and inf are served.
TIMES: dict[str, Any] = {
    "timeout of a breaker": (lambda t: config(timeout=t).timeout, "none"),
    "recovery_timeout": (lambda t: config(recovery_timeout=t).timeout, "none"),
    "slow_call_duration": (lambda t: config(slow_call_duration=t).slow_call_duration, "none"),
    "TimeWindow": (lambda t: r.TimeWindow(t).seconds, ""),
    "max_idle": (lambda t: r.CircuitBreakerRegistry(max_idle=t)._max_idle, "none"),
    "delay": (lambda t: r.Retry(3, t).delay, "zero"),
    "max_delay": (lambda t: r.Retry(max_delay=t).max_delay, "zero"),
    "timeout of a retry": (lambda t: r.Retry(timeout=t).timeout, "none"),
    "attempt_timeout": (lambda t: r.Retry(attempt_timeout=t).attempt_timeout, "none"),
    "window of a budget": (lambda t: r.RetryBudget(window=t).window, ""),
    "period": (lambda t: r.RateLimiter(3, t).period, ""),
    "period, shared": (lambda t: r.RedisRateLimiter(CLIENT, "x", 3, t).period, ""),
    "lease": (lambda t: r.RedisCircuitBreaker(CLIENT, "x", lease=t)._lease / 1e6, ""),
    "timeout of Redis": (lambda t: r.RedisRateLimiter(CLIENT, "x", 3, timeout=t)._store.timeout, ""),
    "retry_interval": (
        lambda t: r.RedisRateLimiter(CLIENT, "x", 3, retry_interval=t)._store.retry_interval,
        "",
    ),
    "max_wait": (lambda t: r.Bulkhead(1, 1, max_wait=t).max_wait, "zero none inf"),
    "max_wait, adaptive": (lambda t: r.AdaptiveLimiter(max_wait=t).max_wait, "zero none inf"),
    "window of a throttle": (lambda t: r.AdaptiveThrottle(window=t)._calls._seconds, ""),
    "delay of a hedge": (lambda t: r.Hedge(t, percentile=95).delay, "zero none"),
    "latency": (lambda t: r.Chaos(latency=(0, t)).latency[1], "zero"),
    "with_timeout": (lambda t: r.with_timeout(t).seconds, ""),
    "deadline": (lambda t: r.deadline(t)._seconds, "zero none inf"),
    "total_timeout": (lambda t: r.Pipeline(total_timeout=t).policies[:1], "none"),
    "attempt_timeout of a pipeline": (lambda t: r.Pipeline(attempt_timeout=t).policies[:1], "none"),
}  # fmt: skip
CASES = pytest.mark.parametrize(("make", "served"), TIMES.values(), ids=TIMES)


def seconds(value: Any) -> Any:
    if isinstance(value, tuple):
        value = value[0].seconds if value else None
    return value


@CASES
def test_a_timedelta_is_its_seconds(make, served):
    assert seconds(make(timedelta(minutes=2))) == seconds(make(120)) == 120.0
    assert isinstance(seconds(make(timedelta(minutes=2))), float)


@CASES
@pytest.mark.parametrize("word", ["zero", "none", "inf"])
def test_zero_none_and_infinity_are_served_or_refused_at_once(make, served, word):
    value: Any = {"zero": 0, "none": None, "inf": math.inf}[word]
    if word in served:
        assert seconds(make(value)) in {None, value, math.inf, 60.0}
    else:
        with pytest.raises((ValueError, TypeError), match="must be"):
            make(value)


@CASES
@pytest.mark.parametrize(
    "value", [-1, math.nan, -math.inf, timedelta(seconds=-1), "5", "5s", [5], 1j, True]
)
def test_what_is_no_time_is_refused_by_name(make, served, value):
    with pytest.raises((ValueError, TypeError), match="must be"):
        make(value)


async def test_a_timedelta_limits_an_awaitable():
    with pytest.raises(TimeoutError):
        await r.with_timeout(asyncio.sleep(60), timedelta(milliseconds=1))
    assert await r.with_timeout(asyncio.sleep(0, "done"), timedelta(minutes=1)) == "done"


async def test_an_infinite_wait_ends_with_the_slot():
    limit = r.Bulkhead(1, 1, max_wait=math.inf)
    async with limit:
        waiting = asyncio.create_task(limit.acall(asyncio.sleep, 0, "done"))
        await asyncio.sleep(0)
        assert limit.queued == 1
    assert await waiting == "done"


def test_a_standard_pipeline_in_timedeltas():
    pipeline = r.Pipeline.standard(
        "x",
        total_timeout=timedelta(seconds=5),
        attempt_timeout=timedelta(seconds=1),
        recovery_timeout=timedelta(seconds=9),
        delay=timedelta(0),
        thread=True,
    )
    assert pipeline.call(int, "3") == 3
