"""A breaker in a real Valkey: all processes open and close together."""

import asyncio
import time

import pytest
import redis

from shared.resilience import (
    CircuitBreakerConfig,
    CircuitOpenError,
    CountWindow,
    RedisCircuitBreaker,
    TimeWindow,
)


def fail():
    raise ConnectionError("down")


def failing(breaker, times):
    for _ in range(times):
        with pytest.raises(ConnectionError):
            breaker.call(fail)


def two(server, name, **config):
    """Two breakers of one name, as two processes would have."""
    options = CircuitBreakerConfig(**{"failure_threshold": 3, "timeout": 0.6} | config)
    return [RedisCircuitBreaker(server.client(), name, options, timeout=5) for _ in range(2)]


def test_failures_are_counted_together_and_all_open(server):
    here, there = two(server, "together")
    failing(here, 2)
    assert here.state == "closed"
    failing(there, 1)
    assert here.state == there.state == "open"
    with pytest.raises(CircuitOpenError) as caught:
        here.call(int)
    assert caught.value.retry_after == pytest.approx(0.3, abs=0.3)
    time.sleep(0.62)
    assert here.state == "half_open"
    assert there.call(int) == 0
    assert here.state == "closed"


def test_a_success_elsewhere_starts_the_count_again(server):
    here, there = two(server, "resets")
    failing(here, 2)
    there.call(int)
    failing(here, 2)
    assert here.state == "closed"


def test_probes_are_admitted_once_for_all(server):
    here, there = two(server, "probes", failure_threshold=1)
    failing(here, 1)
    time.sleep(0.62)

    async def main():
        calls = [breaker.acall(asyncio.sleep, 0.2) for breaker in (here, there) * 4]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(r, CircuitOpenError) for r in results) == 7

    asyncio.run(main())
    assert here.state == "closed"


def test_a_cancelled_probe_gives_its_place_back(server):
    here, there = two(server, "cancelled", failure_threshold=1)
    failing(here, 1)
    time.sleep(0.62)

    async def main():
        task = asyncio.create_task(here.acall(asyncio.sleep, 60))
        await asyncio.sleep(0.1)
        with pytest.raises(CircuitOpenError):
            await there.acall(asyncio.sleep, 0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await there.acall(asyncio.sleep, 0)

    asyncio.run(main())
    assert there.state == "closed"


def test_a_probe_cancelled_on_its_way_in_gives_its_place_back(server):
    here, _ = two(server, "cancelled-early", failure_threshold=1)
    failing(here, 1)
    time.sleep(0.62)
    cancelled_on_the_way(server, here.acall(asyncio.sleep, 60))
    until(lambda: here.call(int) == 0, "the probe's place coming back")


def cancelled_on_the_way(server, coroutine):
    """Cancel what asks a server that answers only later."""

    async def main():
        server.freeze()
        try:
            task = asyncio.create_task(coroutine)
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        finally:
            server.thaw()

    asyncio.run(main())


def until(true, what):
    """Try again and again, for some seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if true():
                return
        except CircuitOpenError:
            pass
        time.sleep(0.02)
    pytest.fail(f"10 s went by without {what}")


def test_a_predicate_that_fails_gives_the_probes_place_back(server):
    def judge(result):
        raise LookupError(result)

    config = {"failure_threshold": 1, "record_result": judge}
    here, _ = two(server, "judge", **config)
    for _ in range(2):
        with pytest.raises(LookupError):
            here.call(int)
        with pytest.raises(LookupError):
            asyncio.run(here.acall(asyncio.sleep, 0))
        failing(two(server, "judge", failure_threshold=1)[0], 1)
        time.sleep(0.62)


def test_a_result_from_before_the_last_transition_changes_nothing(server):
    here, there = two(server, "generation", failure_threshold=1)

    @here
    def slow_success():
        failing(there, 1)

    slow_success()
    assert here.state == "open"
    time.sleep(0.62)

    @here
    def slow_failure():
        failing(there, 1)
        time.sleep(0.62)
        there.call(int)
        raise LookupError

    there.call(int)
    with pytest.raises(LookupError):
        slow_failure()  # it began before the circuit opened, and closed again
    assert here.state == "closed"


def test_a_dead_probe_is_forgotten_after_its_lease(server):
    config = CircuitBreakerConfig(failure_threshold=1, timeout=0.1)
    breaker = RedisCircuitBreaker(server.client(), "lease", config, lease=0.6, timeout=5)
    failing(breaker, 1)
    time.sleep(0.12)
    breaker._begin()  # and never ended: as if its process had died
    with pytest.raises(CircuitOpenError, match="HALF-OPEN"):
        breaker.call(int)
    time.sleep(0.62)
    assert breaker.call(int) == 0


def test_each_dead_probe_is_forgotten_after_its_own_lease(server):
    config = CircuitBreakerConfig(failure_threshold=1, timeout=0.1, half_open_max_calls=2)
    breaker = RedisCircuitBreaker(server.client(), "leases", config, lease=0.6, timeout=5)
    failing(breaker, 1)
    time.sleep(0.12)
    breaker._begin()
    time.sleep(0.3)
    breaker._begin()
    time.sleep(0.35)  # the first lease is over, the second is not
    breaker._begin()
    with pytest.raises(CircuitOpenError, match="HALF-OPEN"):
        breaker._begin()


def test_a_success_that_completes_the_minimum_opens_all(server):
    here, there = two(server, "completes", window=CountWindow(9), minimum_calls=4)
    failing(here, 3)
    there.call(int)
    assert here.state == "open"


def test_windows_forget(server):
    here, there = two(server, "last-calls", window=CountWindow(4), minimum_calls=4)
    for _ in range(20):
        there.call(int)
    failing(here, 2)
    assert here.state == "open"

    here, there = two(server, "last-moment", window=TimeWindow(0.5), minimum_calls=4)
    failing(here, 2)
    time.sleep(0.3)
    there.call(int)
    time.sleep(0.3)
    failing(there, 1)
    assert here.state == "closed"


@pytest.mark.parametrize("window", [CountWindow(10), TimeWindow(60.0)])
def test_windows(server, window):
    here, there = two(server, f"window-{window}", window=window, minimum_calls=8, failure_rate=0.5)
    for _ in range(4):
        there.call(int)
    failing(here, 3)
    assert here.state == "closed"
    failing(there, 1)
    assert here.state == "open"
    here.reset()
    assert there.state == "closed"
    failing(here, 1)
    assert there.state == "closed"


@pytest.mark.parametrize("on_error", ["admit", "refuse", "local"])
def test_a_frozen_server_and_a_breaker(server, on_error):
    config = CircuitBreakerConfig(failure_threshold=2, timeout=60)
    breaker = RedisCircuitBreaker(
        server.client(),
        f"frozen-{on_error}",
        config,
        on_error=on_error,
        timeout=0.1,
        retry_interval=0.2,
    )
    assert breaker.call(int) == 0
    server.freeze()
    try:
        if on_error == "refuse":
            with pytest.raises(CircuitOpenError, match="does not answer"):
                breaker.call(int)
        else:
            failing(breaker, 2)
            if on_error == "local":
                with pytest.raises(CircuitOpenError):
                    breaker.call(int)
            else:
                failing(breaker, 2)
    finally:
        server.thaw()
    time.sleep(0.25)
    assert breaker.call(int) == 0


def test_results_are_judged_with_redis_and_without(server):
    config = CircuitBreakerConfig(failure_threshold=1, record_result=lambda status: status >= 500)
    for client in (server.client(), redis.Redis(port=1)):  # no server listens there
        breaker = RedisCircuitBreaker(client, f"judged-{client}", config, timeout=5)
        assert breaker.call(int, 404) == 404
        with breaker:
            pass  # a block has no result
        assert breaker.state == "closed"
        assert breaker.call(int, 503) == 503
        assert breaker.state == "open"


def test_slow_calls_are_not_shared(server):
    with pytest.raises(ValueError, match="slow_call_duration"):
        two(server, "slow", slow_call_duration=1.0)
