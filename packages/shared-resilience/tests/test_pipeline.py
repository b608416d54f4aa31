"""Several policies as one, in the order that works."""

import asyncio

import pytest

from shared.resilience import (
    Bulkhead,
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    Fallback,
    Pipeline,
    RateLimiter,
    Retry,
)
from shared.resilience.testing import VirtualClock, run_virtual


def fail(*args, **kwargs):
    raise ConnectionError("down")


def test_the_order_of_a_pipeline():
    """Each attempt passes the breaker and the limit; the bulkhead and the fallback see one call."""
    clock = VirtualClock()
    breaker = CircuitBreaker("p", CircuitBreakerConfig(failure_threshold=2), clock=clock)
    limiter = RateLimiter(100, 3600.0, clock=clock)
    pipeline = Pipeline(
        fallback=Fallback("fallback", on=(ConnectionError, CircuitOpenError)),
        bulkhead=Bulkhead(1),
        retry=Retry(2, 0, clock=clock),
        breaker=breaker,
        rate_limit=limiter,
    )
    assert pipeline.call(fail) == "fallback"
    assert breaker.state == "open"
    assert pipeline.call(fail) == "fallback"
    assert breaker.metrics.rejected == 1
    assert limiter.try_acquire(98)  # two attempts were counted
    assert not limiter.try_acquire()


def test_total_and_attempt_timeouts_of_a_pipeline():
    clock = VirtualClock()
    pipeline = Pipeline(
        total_timeout=5.0,
        retry=Retry(9, 1.0, backoff=1.0, jitter="none", clock=clock),
        attempt_timeout=1.0,
    )
    calls = []

    async def hang():
        calls.append(clock())
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        run_virtual(pipeline.acall(hang), clock)
    assert clock() == pytest.approx(5.0)
    assert calls == pytest.approx([0.0, 2.0, 4.0])
    with pytest.raises(TypeError, match="plain function"):
        pipeline(lambda: 1)


def test_standard_pipelines_for_each_kind_of_callable():
    pipeline = Pipeline.standard("service")

    @pipeline
    async def fetch(x):
        return x

    @Pipeline.standard("files", thread=True)
    def read(x):
        return x

    @Pipeline(retry=Retry(2, 0), breaker=CircuitBreaker("g"))
    def items():
        yield 1

    async def main():
        assert await fetch(1) == 1
        assert await pipeline.acall(fetch, 2) == 2

    asyncio.run(main())
    assert read(3) == 3
    assert list(items()) == [1]
    assert Pipeline()(fetch) is fetch


def test_a_pipeline_of_admissions_guards_blocks():
    bulkhead, breaker = Bulkhead(1), CircuitBreaker("b", CircuitBreakerConfig(1))
    pipeline = Pipeline(bulkhead=bulkhead, breaker=breaker)
    with pipeline:
        assert bulkhead.active == 1
    with pytest.raises(ConnectionError), pipeline:
        fail()
    with pytest.raises(CircuitOpenError), pipeline:
        pass
    assert (bulkhead.active, breaker.state) == (0, "open")

    async def main():
        breaker.reset()
        async with pipeline:
            assert bulkhead.active == 1
        with pytest.raises(TypeError, match="block"):
            async with Pipeline(retry=Retry()):
                pass

    asyncio.run(main())
    assert bulkhead.active == 0


def test_the_name_of_the_callee_reaches_the_retry(events):
    @Pipeline(retry=Retry(2, 0), breaker=CircuitBreaker("n", CircuitBreakerConfig(9)))
    def fetch_page():
        raise ConnectionError

    import stamina

    with stamina.set_testing(True, attempts=2), pytest.raises(ConnectionError):
        fetch_page()
    assert {e.details["callee"] for e in events if e.policy == "retry"} == {fetch_page.__qualname__}
