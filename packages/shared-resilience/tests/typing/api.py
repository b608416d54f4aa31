"""The public API as a type-checked file that is never run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import aclosing
from typing import Any, assert_type

import shared.resilience as r
from shared.resilience.testing import VirtualClock, run_virtual

names: list[str] = r.__all__

clock = VirtualClock()
config = r.CircuitBreakerConfig(
    failure_threshold=3,
    recovery_timeout=30,
    window=r.TimeWindow(60.0),
    record=(OSError,),
    ignore=lambda exc: isinstance(exc, KeyError),
    record_result=lambda status: bool(status >= 500),
)
breaker = r.CircuitBreaker("api", config, clock=clock)


@breaker
def plain(a: int, *, b: str = "") -> float:
    return a + len(b)


@breaker
async def coroutine(a: int) -> str:
    return str(a)


@breaker
def items(n: int) -> Iterator[int]:
    yield from range(n)


@r.retry
@r.with_circuit_breaker("shared")
async def aitems(n: int) -> AsyncIterator[int]:
    yield n


class Service:
    @breaker
    def method(self, x: int) -> int:
        return x

    @classmethod
    @breaker
    def of_class(cls, x: int) -> str:
        return f"{cls.__name__}{x}"

    @r.retry(max_attempts=3, delay=0.1, exceptions=OSError)
    async def amethod(self, x: int) -> int:
        return x


# Signatures and results survive.
assert_type(plain(1, b="x"), float)
plain("no")  # type: ignore[arg-type]
assert_type(next(iter(items(3))), int)
assert_type(Service().method(1), int)
assert_type(Service.of_class(1), str)
assert_type(breaker.call(plain, 1, b="x"), float)
breaker.call(plain, "no")  # type: ignore[arg-type]

# The breaker.
assert_type(breaker.state, r.CircuitState)
assert_type(breaker.metrics.failure_rate, float)
if permit := breaker.try_acquire():
    with permit:
        permit.success(200)
with breaker as entered:
    assert_type(entered, r.CircuitBreaker)


@breaker.on_transition
def heard(who: r.CircuitBreaker, old: r.CircuitState, new: r.CircuitState) -> None: ...


breaker.reset()
breaker.force_open()
breaker.disable()
breaker.metrics_only()
registry = r.CircuitBreakerRegistry(config, max_idle=60, clock=clock)
assert_type(registry.get("host"), r.CircuitBreaker)
assert_type(r.get_circuit_breaker("x"), r.CircuitBreaker)
r.reset_circuit_breaker("x")


@r.circuit_breaker(failure_threshold=2)
def decorated(a: int) -> int:
    return a


assert_type(decorated(1), int)
assert_type(decorated.breaker, r.CircuitBreaker)
decorated("no")  # type: ignore[arg-type]


@r.circuit_breaker
async def bare(a: int) -> str:
    return str(a)


assert_type(bare.breaker.state, r.CircuitState)


class Guarded:
    @r.circuit_breaker("method", config)
    def method(self, a: int, *, b: str = "") -> float:
        return a + len(b)

    @r.circuit_breaker(failure_threshold=3, recovery_timeout=120)
    async def amethod(self, a: int) -> str:
        return str(a)

    @classmethod
    @r.circuit_breaker()
    def of_class(cls, a: int) -> int:
        return a


assert_type(Guarded().method(1, b="x"), float)
assert_type(Guarded().method.breaker, r.CircuitBreaker)
assert_type(Guarded.method.breaker, r.CircuitBreaker)
assert_type(Guarded.of_class(1), int)
assert_type(Guarded().of_class(1), int)
Guarded().method("no")  # type: ignore[arg-type]
r.circuit_breaker(failure_treshold=3)  # type: ignore[call-overload]
nameless = r.CircuitBreaker(
    failure_threshold=3, recovery_timeout=30, expected_exceptions=(OSError,)
)
r.CircuitBreaker(failure_treshold=3)  # type: ignore[call-arg]

# Retry.
retry = r.Retry(
    3,
    0.1,
    exceptions=(OSError, ValueError),
    retry_if_result=lambda result: result is None,
    on_retry=print,
    budget=r.RetryBudget(0.1),
    retry_after=lambda exc: getattr(exc, "retry_after", None),
    clock=clock,
)
for attempt in retry:
    with attempt:
        assert_type(attempt.number, int)


@r.retry(max_retries=3, delay=1.0, backoff=2.0, jitter="none", on_retry=print, timeout=30)
def repeated(a: int) -> int:
    return a


assert_type(repeated(1), int)
r.retry(max_atempts=3)  # type: ignore[call-overload]
r.retry(jitter=3)  # type: ignore[call-overload]


@r.async_retry(max_retries=3, delay=1.0, backoff=2.0, exceptions=(OSError,))
async def arepeated(a: int) -> int:
    return a


@r.retry_with_backoff(max_retries=2)
def backed_off() -> int:
    return 1


assert_type(backed_off(), int)


# Time.
@r.with_timeout(5.0)
async def limited(a: int) -> int:
    return a


@r.with_timeout(5.0, thread=True)
def in_thread(a: int) -> int:
    return a


@r.deadline(3.0)
async def with_deadline() -> str:
    return ""


# Limits.
limiter = r.RateLimiter(10, 1.0, clock=clock)
bucket = r.TokenBucket(10.0, 20)
assert_type(limiter.try_acquire(2), bool)
assert_type(limiter.acquire(), Awaitable[None])
bulkhead = r.Bulkhead(10, 5, max_wait=1.0)
adaptive = r.AdaptiveLimiter(r.Gradient(tolerance=2.0), initial=10)
throttle = r.AdaptiveThrottle(2.0)
redis_limiter = r.RedisRateLimiter(object(), "name", 10, 1.0, on_error="admit")
redis_breaker = r.RedisCircuitBreaker(object(), "name", config)


@r.rate_limit(60)
def per_minute(a: int) -> int:
    return a


@r.with_fallback("primary", ["backup"])
async def price(symbol: str, provider: str = "") -> float:
    return float(len(symbol + provider))


pipeline = r.Pipeline(
    fallback=r.Fallback(0),
    bulkhead=bulkhead,
    total_timeout=10.0,
    retry=retry,
    breaker=breaker,
    rate_limit=limiter,
    attempt_timeout=2.0,
)
standard = r.Pipeline.standard("api", attempts=5)
chaos = r.Chaos(0.1, (0.1, 0.5), seed=1)


@standard
async def piped(a: int) -> str:
    return str(a)


async def main() -> None:
    assert_type(await coroutine(1), str)
    assert_type(await Service().amethod(1), int)
    assert_type(await breaker.acall(coroutine, 1), str)
    async with breaker, bulkhead, limiter, r.with_timeout(1.0), r.deadline(2.0) as left:
        assert_type(left.remaining(), float)
    async for attempt in retry:
        with attempt:
            pass
    assert_type(await limited(1), int)
    assert_type(in_thread(1), int)
    assert_type(await r.with_timeout(coroutine(1), 5.0), str)
    assert_type(await r.with_timeout(coroutine(1), 5.0, None), str | None)
    assert_type(await with_deadline(), str)
    assert_type(await bare(1), str)
    assert_type(await Guarded().amethod(1), str)
    assert_type(await arepeated(1), int)
    assert_type(r.remaining(), float | None)
    assert_type(r.deadline.to_header(), str | None)
    assert_type(r.deadline.to_header("X-Left"), dict[str, str])
    with r.deadline.from_header({"x-left": "10"}, "X-Left"):
        pass
    assert_type(await price("ACME"), float)
    assert_type(await r.Hedge(0.1).acall(coroutine, 1), str)
    assert_type(await r.ProviderFallback("a", ["b"]).acall(price, "ACME"), float)
    assert_type(await piped(1), str)
    assert_type(await pipeline.acall(coroutine, 1), str)

    async def total(batch: list[int]) -> int:
        return sum(batch)

    async with aclosing(
        aiter(r.process_in_batches(range(9), 3, total, max_in_flight=2))
    ) as results:
        async for result in results:
            assert_type(result, int)
    assert_type(await r.process_in_batches([1], 1, total), list[int])

    async def stream(batch: list[int]) -> AsyncIterator[str]:
        for number in batch:
            yield str(number)

    async for text in r.process_in_batches([1], 1, stream):
        assert_type(text, str)


asyncio.run(main())
assert_type(run_virtual(coroutine(1), clock), str)


# Errors and telemetry.
def react(error: r.ResilienceError) -> tuple[str, float | None]:
    if isinstance(error, r.CircuitOpenError):
        print(error.last_exception)
    return error.name, error.retry_after


same: type[r.CircuitOpenError] = r.CircuitBreakerError
refusals: tuple[type[r.ResilienceError], ...] = (
    r.BulkheadFullError,
    r.RateLimitedError,
    r.RetryBudgetExhausted,
)
seen: list[r.Event] = []
r.set_listeners([seen.append, r.prometheus_listener(), r.structlog_listener()])
details: dict[str, Any] = seen[0].details
