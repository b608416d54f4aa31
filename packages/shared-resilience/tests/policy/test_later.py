"""Plain functions that return an awaitable: every policy protects what is awaited."""

import asyncio
import functools
import gc
import weakref
from typing import Any

import pytest

import shared.resilience as r
from shared.resilience import (
    AdaptiveLimiter,
    AdaptiveThrottle,
    Bulkhead,
    Chaos,
    CircuitBreaker,
    CircuitBreakerConfig,
    CountWindow,
    Fallback,
    Hedge,
    Pipeline,
    ProviderFallback,
    RateLimiter,
    Retry,
    TokenBucket,
    deadline,
    with_timeout,
)
from shared.resilience.testing import VirtualClock, run_virtual


class Service:
    """An async function and what it was called with; it fails as often as wanted."""

    def __init__(self, failures=0):
        self.failures = failures
        self.calls = 0

    async def fetch(self, *args):
        self.calls += 1
        await asyncio.sleep(0)
        if self.calls <= self.failures:
            raise ConnectionError(f"number {self.calls}")
        return "page"


class Request:
    """Can be awaited and entered, as the request of an HTTP client can."""

    def __init__(self, service):
        self.service = service
        self.url = "https://a.example"
        self.left = 0

    def __await__(self):
        return self.service.fetch().__await__()

    async def __aenter__(self):
        return await self.service.fetch()

    async def __aexit__(self, *exc):
        self.left += 1

    def __len__(self):
        return 17


def lambda_of(service):
    return lambda *args: service.fetch(*args)  # noqa: PLW0108 - that is the case


def future_of(service):
    return lambda *args: asyncio.ensure_future(service.fetch(*args))


def request_of(service):
    return lambda *args: Request(service)


def partial_of(service):
    return functools.partial(lambda_of(service))


KINDS: list[Any] = [lambda_of, future_of, request_of, partial_of]
SHARED = CircuitBreakerConfig(2)
POLICIES: dict[str, Any] = {
    "breaker": lambda: CircuitBreaker("x"),
    "breaker with a window": lambda: CircuitBreaker(
        "x", CircuitBreakerConfig(window=CountWindow(9))
    ),
    "breaker that judges": lambda: CircuitBreaker("x", CircuitBreakerConfig(slow_call_duration=9)),
    "retry": lambda: Retry(delay=0),
    "retry with a timeout": lambda: Retry(delay=0, timeout=9),
    "limiter": lambda: RateLimiter(9),
    "bucket": lambda: TokenBucket(9),
    "bulkhead": lambda: Bulkhead(1),
    "adaptive limiter": AdaptiveLimiter,
    "throttle": AdaptiveThrottle,
    "hedge": lambda: Hedge(9, thread=True),
    "fallback": lambda: Fallback("other"),
    "providers": lambda: ProviderFallback("a", ["b"]),
    "chaos": Chaos,
    "timeout": lambda: with_timeout(9, thread=True),
    "deadline": lambda: deadline(9),
    "pipeline": lambda: Pipeline.standard("x", total_timeout=None, attempt_timeout=None),
    "pipeline in threads": lambda: Pipeline.standard("x", thread=True, fallback=Fallback(0)),
}


@pytest.mark.parametrize("kind", [lambda_of, request_of, partial_of])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
async def test_what_is_awaited_gives_the_result(policy, kind):
    protected = policy()(kind(Service()))
    assert await protected() == "page"
    assert await protected() == "page"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [None, CountWindow(2)])
async def test_a_breaker_counts_what_is_awaited(window, kind):
    config = CircuitBreakerConfig(2, window=window, minimum_calls=2)
    breaker = CircuitBreaker("x", config)
    fetch = breaker(kind(Service(failures=2)))
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await fetch()
    assert breaker.state == "open"
    with pytest.raises(r.CircuitOpenError):
        fetch()


async def test_a_breaker_judges_what_the_awaitable_gives():
    breaker = CircuitBreaker("x", CircuitBreakerConfig(1, record_result=lambda x: x == "page"))
    assert await breaker.call(lambda_of(Service())) == "page"
    assert breaker.state == "open"


async def test_a_probe_lasts_until_it_was_awaited(clock):
    breaker = CircuitBreaker("x", CircuitBreakerConfig(1, timeout=5), clock=clock)
    with pytest.raises(ConnectionError):
        await breaker.call(lambda_of(Service(failures=1)))
    clock.advance(5)
    probe = breaker.call(lambda_of(Service()))
    assert breaker.metrics.probes == 1
    with pytest.raises(r.CircuitOpenError):
        breaker.call(lambda_of(Service()))
    await probe
    assert breaker.state == "closed"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"timeout": 9}, {"budget": r.RetryBudget(9)}])
async def test_a_retry_repeats_what_is_awaited(options, kind):
    service = Service(failures=2)
    assert await Retry(3, delay=0, **options)(kind(service))() == "page"
    assert service.calls == 3


async def test_a_retry_counts_plain_and_awaited_failures_together():
    calls = 0

    @Retry(3, delay=0)
    def fetch():
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionError("at once")
        return Service(failures=9).fetch()

    with pytest.raises(ConnectionError, match="number 1"):
        await fetch()
    assert calls == 3


async def test_a_retry_judges_what_the_awaitable_gives():
    service = Service()
    retry = Retry(3, delay=0, retry_if_result=lambda result: result == "page")
    assert await retry.call(lambda_of(service)) == "page"
    assert service.calls == 3


@pytest.mark.parametrize("limit", [deadline(5), Retry(1, timeout=5)], ids=["deadline", "retry"])
def test_a_deadline_limits_what_is_awaited(limit):
    async def main():
        fetch: Any = limit(lambda: asyncio.sleep(60))
        with pytest.raises(TimeoutError):
            await fetch()

    run_virtual(main())


def test_a_time_limit_limits_what_is_awaited():
    async def main():
        fetch = with_timeout(5, thread=True)(lambda: asyncio.sleep(60))
        with pytest.raises(TimeoutError):
            await fetch()

    run_virtual(main())


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fallback_stands_in_for_what_is_awaited(kind):
    assert await Fallback("other")(kind(Service(failures=1)))() == "other"


async def test_another_provider_is_tried_for_what_is_awaited():
    tried = []

    async def fetch(provider):
        tried.append(provider)
        if provider != "c":
            raise ConnectionError
        return provider

    def plain(provider):
        if provider == "a":
            raise ConnectionError
        return fetch(provider)

    assert await r.with_fallback("a", ["b", "c"])(plain)() == "c"  # type: ignore[call-arg]
    assert tried == ["b", "c"]


@pytest.mark.parametrize("make", [lambda: Bulkhead(1), AdaptiveLimiter], ids=["fixed", "adaptive"])
async def test_a_slot_is_held_until_it_was_awaited(make):
    limit = make()
    held = []

    async def work():
        held.append(limit.active)

    for _ in range(2):
        await limit.call(lambda: work())  # noqa: PLW0108 - that is the case
    assert held == [1, 1]
    assert limit.active == 0


async def test_a_slot_comes_back_when_nothing_is_awaited():
    limit = Bulkhead(1)
    pending: Any = limit.call(request_of(Service()))
    assert limit.active == 1
    del pending
    gc.collect()
    assert limit.active == 0


def test_waiting_for_a_slot_does_not_block_the_event_loop():
    async def main():
        limit = Bulkhead(1, 9)
        jobs = [limit.call(lambda n: asyncio.sleep(1, n), n) for n in range(3)]
        return await asyncio.gather(*jobs)

    assert run_virtual(main()) == [0, 1, 2]


async def test_waiting_for_a_slot_leaves_a_request_what_it_is():
    limit = Bulkhead(1, 9)
    fetch = limit(request_of(Service()))
    pages, requests = [], [fetch() for _ in range(3)]
    assert [request.url for request in requests] == ["https://a.example"] * 3
    for request in requests:
        async with request as page:
            pages.append(page)
    assert pages == ["page"] * 3
    assert limit.active == 0


def test_waiting_for_a_turn_does_not_block_the_event_loop():
    clock = VirtualClock()

    async def main():
        limiter = RateLimiter(1, 1.0, clock=clock)
        fetch = limiter(lambda: asyncio.sleep(0))
        await fetch()
        started = clock()
        waited = [fetch() for _ in range(2)]
        assert clock() - started <= 1.0
        await asyncio.gather(*waited)

    run_virtual(main(), clock)
    assert clock() == pytest.approx(2.0, abs=0.1)


async def test_a_hedge_in_threads_goes_on_with_what_is_awaited():
    service = Service(failures=1)
    hedge = Hedge(0, thread=True)
    assert await hedge.call(lambda_of(service)) == "page"


async def test_what_can_be_entered_still_can():
    service = Service(failures=1)
    breaker = CircuitBreaker("x")
    request: Any = breaker.call(request_of(service))
    assert request.url == "https://a.example"
    assert len(request) == 17
    with pytest.raises(ConnectionError):
        async with request:
            pytest.fail("not entered")
    assert breaker.metrics.failures == 1
    request = breaker.call(request_of(service))
    async with request as page:
        assert page == "page"
    assert request.left == 1


async def test_nothing_keeps_the_function():
    class Big:
        pass

    big = Big()
    seen = weakref.ref(big)
    fetch = CircuitBreaker("x")(lambda kept=big: asyncio.sleep(0))
    await fetch()
    del fetch, big
    gc.collect()
    assert seen() is None


DECORATORS: dict[str, Any] = {
    "retry": r.retry(delay=0),
    "retry_with_backoff": r.retry_with_backoff(2, delay=0),
    "with_circuit_breaker": r.with_circuit_breaker("later"),
    "circuit_breaker": r.circuit_breaker(failure_threshold=9),
    "rate_limit": r.rate_limit(99),
    "with_fallback": r.with_fallback("a", ["b"]),
}


@pytest.mark.parametrize("decorate", DECORATORS.values(), ids=DECORATORS)
async def test_every_decorator_protects_what_is_awaited(decorate):
    assert await decorate(lambda_of(Service()))() == "page"


async def test_a_generator_based_coroutine_is_async():
    import types

    @types.coroutine
    def fetch():
        yield from asyncio.sleep(0).__await__()
        raise ConnectionError

    breaker = CircuitBreaker("x")
    with pytest.raises(ConnectionError):
        await breaker.call(fetch)
    assert breaker.metrics.failures == 1
