"""The snippets about resilience of the platforms' old documentation, as their users wrote them."""

import asyncio
from typing import Any

import pytest

from shared.resilience import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerError,
    ProviderFallback,
    RateLimiter,
    async_retry,
    circuit_breaker,
    get_circuit_breaker,
    get_fallback,
    process_in_batches,
    rate_limit,
    reset_circuit_breaker,
    retry,
    retry_with_backoff,
    with_circuit_breaker,
    with_fallback,
    with_timeout,
)


class Service:
    """Fails a few times, then answers."""

    def __init__(self, failures: int, kind: type[Exception] = ConnectionError) -> None:
        self.failures, self.kind, self.calls = failures, kind, 0

    def get(self, *args: object) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.kind(f"number {self.calls}")
        return "data"


def test_retry_five_times() -> None:
    service = Service(4)

    @retry(max_attempts=5, delay=0.001, backoff=2.0)
    def unreliable() -> str:
        return service.get()

    assert unreliable() == "data"


def test_retry_with_a_hook_and_exceptions() -> None:
    seen = []

    @retry(
        max_attempts=3,
        delay=0.001,
        exceptions=(ConnectionError,),
        on_retry=lambda attempt, error: seen.append((attempt, str(error))),
    )
    def fetch_data() -> str:
        return service.get()

    service = Service(2)
    assert fetch_data() == "data"
    assert seen == [(1, "number 1"), (2, "number 2")]


def test_max_retries_are_the_attempts_after_the_first() -> None:
    service = Service(3)

    @retry(max_retries=3, delay=0.001, backoff=2.0)
    def call_external_api() -> str:
        return service.get()

    assert call_external_api() == "data"
    service.failures, service.calls = 4, 0
    with pytest.raises(ConnectionError, match="number 4"):
        call_external_api()


def test_max_retries_of_async_retry() -> None:
    service = Service(3)

    @async_retry(max_retries=3, delay=0.001, backoff=2.0)
    async def call_async_api() -> str:
        return service.get()

    assert asyncio.run(call_async_api()) == "data"


def test_retry_with_backoff_and_rate_limit() -> None:
    service = Service(2)

    @retry_with_backoff(max_retries=2, backoff_factor=1.5, delay=0.001)
    @rate_limit(requests_per_minute=60)
    def fetch() -> str:
        return service.get()

    assert fetch() == "data"


@pytest.mark.parametrize("decorate", [retry, async_retry])
def test_one_of_the_two_words(decorate: Any) -> None:
    with pytest.raises(ValueError, match="max_attempts and max_retries are the same argument"):
        decorate(max_attempts=2, max_retries=2)
    with pytest.raises(ValueError, match="max_retries must be"):
        decorate(max_retries=-1)


def test_a_circuit_breaker_without_a_name() -> None:
    service = Service(99, OSError)
    breaker = CircuitBreaker(
        failure_threshold=3, recovery_timeout=30, expected_exceptions=(OSError,)
    )

    async def risky_operation() -> str:
        return service.get()

    async def use() -> str:
        try:
            return await breaker.call(risky_operation)
        except Exception as e:
            return type(e).__name__

    assert [asyncio.run(use()) for _ in range(4)] == ["OSError"] * 3 + ["CircuitOpenError"]
    with pytest.raises(TypeError, match="pass config or its fields"):
        CircuitBreaker("x", CircuitBreakerConfig(), failure_threshold=3)


def test_a_collector_that_skips_while_the_circuit_is_open() -> None:
    class ResilientCollector:
        @circuit_breaker(failure_threshold=3, recovery_timeout=120)
        async def _fetch_data(self) -> Any:
            raise ConnectionError("down")

        async def collect(self) -> Any:
            try:
                return await self._fetch_data()
            except Exception as e:
                if "Circuit breaker is OPEN" in str(e):
                    return []
                raise

    collector = ResilientCollector()
    for _ in range(3):
        with pytest.raises(ConnectionError):
            asyncio.run(collector.collect())
    assert asyncio.run(collector.collect()) == []


def test_execute_and_the_error() -> None:
    breaker = CircuitBreaker("my_provider")
    assert breaker.execute(Service(0).get, 1, 2) == "data"
    breaker.force_open()
    with pytest.raises(CircuitBreakerError):
        breaker.execute(Service(0).get, 1, 2)


def test_a_shared_circuit_breaker() -> None:
    @with_circuit_breaker("seed_provider")
    def call_provider(arg1: int, arg2: int) -> int:
        return arg1 + arg2

    assert call_provider(1, 2) == 3
    get_circuit_breaker("seed_provider").force_open()
    with pytest.raises(CircuitBreakerError):
        call_provider(1, 2)
    reset_circuit_breaker("seed_provider")
    assert call_provider(1, 2) == 3


def test_the_provider_is_the_first_argument() -> None:
    tried = []

    @with_fallback("primary_provider", ["fallback1", "fallback2"])
    def call_with_fallback(provider_id: str, arg1: int, arg2: int) -> Any:
        tried.append(provider_id)
        if provider_id != "fallback2":
            raise ConnectionError(provider_id)
        return provider_id, arg1 + arg2

    call: Any = call_with_fallback
    assert call(1, 2) == ("fallback2", 3)
    assert call(1, arg2=2) == ("fallback2", 3)
    assert tried == ["primary_provider", "fallback1", "fallback2"] * 2


def test_get_fallback() -> None:
    fallback = get_fallback("groq", ["openai", "anthropic"])
    assert isinstance(fallback, ProviderFallback)
    assert get_fallback("groq") is fallback
    ask: Any = fallback.execute
    assert ask(lambda provider, question: (provider, question), "why") == ("groq", "why")


def test_batches_through_an_async_generator() -> None:
    async def process_batch(batch: list[int]) -> Any:
        for item in batch:
            yield item * 2

    async def main() -> list[int]:
        saved = []
        async for result in process_in_batches(list(range(250)), 100, process_batch):
            saved.append(result)
        return saved

    assert asyncio.run(main()) == [2 * number for number in range(250)]


def test_a_rate_limiter_and_a_timeout() -> None:
    rate_limiter = RateLimiter(calls=10, period=1.0)

    async def main() -> Any:
        async with rate_limiter:
            return await with_timeout(asyncio.sleep(60), timeout=0.001, default=[])

    assert asyncio.run(main()) == []
