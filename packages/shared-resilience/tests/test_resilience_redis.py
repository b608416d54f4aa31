"""Limits and breakers in a real Valkey: exact among processes; stopped, killed and back again."""

import asyncio
import subprocess
import sys
import time

import pytest
import redis

from shared.resilience import (
    CircuitBreakerConfig,
    CircuitOpenError,
    CountWindow,
    RateLimitedError,
    RedisCircuitBreaker,
    RedisRateLimiter,
    TimeWindow,
)

TAKE = """
import sys, time, redis
from shared.resilience import RedisRateLimiter
port, name, n = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
client = redis.Redis(port=port)
limiter = RedisRateLimiter(client, name, 20, 0.4, timeout=5)
for _ in range(n):
    limiter.acquire()
    seconds, micros = client.time()
    print(seconds * 1_000_000 + micros, flush=True)
"""


def test_four_processes_share_one_exact_limit(server):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE, str(server.port), "shared", "20"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    outputs = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [len(output) for output in outputs] == [20] * 4
    # The law on the server's own record: the last 20 admissions lie within one key.
    stamps = [int(s) for s in server.client().lrange("shared:rate:shared", 0, -1)]
    assert len(stamps) <= 20
    admitted = sorted(int(stamp) for output in outputs for stamp in output)
    # 80 admissions at 20 in 0.4 s take at least 3 periods after the first 20.
    assert admitted[-1] - admitted[0] >= 3 * 400_000 - 50_000


def test_the_law_on_the_servers_own_clock(server):
    """Ask as fast as possible and check every admission time that the script recorded."""
    limiter = RedisRateLimiter(server.client(), "law", 5, 0.1, timeout=5)
    seen: list[int] = []
    while len(seen) < 16:
        if limiter.try_acquire():
            seen.append(int(server.client().lindex("shared:rate:law", 0)))
    assert all(late - early >= 100_000 for early, late in zip(seen, seen[5:], strict=False))


def test_a_servers_clock_that_was_set_back(server):
    client = server.client(decode_responses=True)
    limiter = RedisRateLimiter(client, "back", 2, 60.0, timeout=5)
    seconds, micros = client.time()
    ahead = seconds * 1_000_000 + micros + 30_000_000
    client.lpush("shared:rate:back", ahead)
    assert limiter.try_acquire()  # at the same time as the last one: never before it
    assert client.lrange("shared:rate:back", 0, -1) == [str(ahead)] * 2
    assert not limiter.try_acquire()
    client.lset("shared:rate:back", 0, ahead + 60_000_000)
    assert limiter.try_acquire(2)  # further back than a period: what was before is void


def test_more_at_once_than_this_process_alone_may():
    nobody = redis.Redis(port=1)
    limiter = RedisRateLimiter(nobody, "alone", 10, 60.0, on_error="local", local_calls=2)
    assert limiter.try_acquire(5)
    assert not limiter.try_acquire()


def test_first_come_first_served_within_a_process(server):
    limiter = RedisRateLimiter(server.client(), "order", 2, 0.6, timeout=5)
    order = []

    async def take(n):
        await limiter.acquire(n)
        order.append(n)

    async def main():
        await limiter.acquire()
        await asyncio.sleep(0.3)
        await limiter.acquire()
        heavy = asyncio.create_task(take(2))  # its turn is 0.6 s from now, one call's 0.3 s
        await asyncio.sleep(0.05)
        await asyncio.gather(heavy, take(1))

    asyncio.run(main())
    assert order == [2, 1]


def test_keys_expire(server):
    limiter = RedisRateLimiter(server.client(), "gone", 5, 0.05, timeout=5)
    limiter.acquire(5)
    client = server.client()
    assert 0 < client.pttl("shared:rate:gone") <= 60
    time.sleep(0.1)
    assert client.exists("shared:rate:gone") == 0


def test_sync_and_async_callers_with_either_client(server):
    import redis.asyncio

    for client in (server.client(decode_responses=True), redis.asyncio.Redis(port=server.port)):
        limiter = RedisRateLimiter(client, f"both-{type(client)}", 3, 0.1, timeout=5)

        @limiter
        async def work():
            return "done"

        async def main(limiter=limiter, work=work):
            assert await asyncio.gather(*(work() for _ in range(5))) == ["done"] * 5
            async with limiter:
                pass
            assert isinstance(await limiter.atry_acquire(), bool)

        asyncio.run(main())
        asyncio.run(main())  # another loop
        limiter.acquire()
        limiter.call(int)


def test_not_waiting_says_when(server):
    limiter = RedisRateLimiter(server.client(), "quick", 1, 60.0, wait=False, timeout=5)
    limiter.acquire()
    with pytest.raises(RateLimitedError) as caught:
        limiter.acquire()
    assert caught.value.retry_after == pytest.approx(59.9, abs=1)
    with pytest.raises(ValueError, match="n must be"):
        limiter.acquire(2)


class Broken:
    """The same checks for a server that is frozen and for one that is dead."""

    def limiter(self, server, name, on_error, calls=2, **options):
        limiter = RedisRateLimiter(
            server.client(),
            name,
            calls,
            60.0,
            on_error=on_error,
            timeout=0.1,
            retry_interval=0.2,
            **options,
        )
        assert limiter.try_acquire()
        return limiter

    def check(self, server, label, stop, resume):
        opened = self.limiter(server, f"open-{label}", "admit", calls=1)
        closed = self.limiter(server, f"closed-{label}", "refuse", calls=100)
        local = self.limiter(server, f"local-{label}", "local", wait=False)
        stop()
        try:
            for _ in range(5):
                opened.acquire()
            for _ in range(5):
                with pytest.raises(RateLimitedError, match="does not answer"):
                    closed.acquire()
            local.acquire(2)
            with pytest.raises(RateLimitedError):
                local.acquire()
        finally:
            resume()
        time.sleep(0.25)
        closed.acquire()  # Redis is asked again, without a restart
        with pytest.raises(RateLimitedError):
            local.acquire(2)  # Redis remembers the first call


def test_a_frozen_server(server):
    Broken().check(server, "frozen", server.freeze, server.thaw)


def test_a_killed_server(server):
    def resume():
        server.start()

    limiter = RedisRateLimiter(
        server.client(), "killed", 1, 60.0, on_error="admit", timeout=0.2, retry_interval=0.2
    )
    limiter.acquire()
    closed = RedisRateLimiter(
        server.client(),
        "killed-closed",
        9,
        60.0,
        on_error="refuse",
        timeout=0.2,
        retry_interval=0.2,
    )
    server.kill()
    for _ in range(5):
        limiter.acquire()
        with pytest.raises(RateLimitedError):
            closed.acquire()
    resume()
    time.sleep(0.3)
    closed.acquire()
    limiter.acquire()
    assert not limiter.try_acquire()


WORK = """
import asyncio, sys, threading, redis
from shared.resilience import RateLimitedError, RedisRateLimiter, set_listeners
port, name, on_error = int(sys.argv[1]), sys.argv[2], sys.argv[3]
set_listeners([])
limiter = RedisRateLimiter(
    redis.Redis(port=port), name, 50, 0.2, on_error=on_error, timeout=0.1, retry_interval=0.2
)
refused, admitted = 0, 0
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()

async def main():
    global refused, admitted
    print("ready", flush=True)
    recovered = False
    while not (over.is_set() and recovered):  # it must recover, without a restart
        try:
            await limiter.acquire()
            admitted += 1
        except RateLimitedError:
            refused += 1
        recovered = limiter._store._breaker.state == "closed"
        await asyncio.sleep(0.01)

asyncio.run(main())
print(refused, admitted)
"""


def test_four_processes_while_the_server_is_slowed_frozen_and_killed(server):
    policies = ["admit", "refuse", "local", "local"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(server.port), f"four-{on_error}", on_error],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for on_error in policies
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    server.client().client_pause(250)  # every answer comes late
    time.sleep(0.5)
    server.freeze()
    time.sleep(0.4)
    server.thaw()
    time.sleep(0.3)
    server.kill()
    time.sleep(0.3)
    server.start()
    for on_error, process in zip(policies, processes, strict=True):
        output = process.communicate(timeout=60)[0]
        assert process.returncode == 0, on_error
        refused, admitted = map(int, output.split())
        assert (refused > 0) == (on_error == "refuse"), on_error
        assert admitted > 10, on_error


def test_no_event_loop_is_blocked_by_a_frozen_server(server, events):
    limiter = RedisRateLimiter(
        server.client(), "loop", 1000, 60.0, on_error="admit", timeout=0.5, retry_interval=5.0
    )

    async def main():
        await limiter.acquire()
        server.freeze()
        beats = 0
        try:
            tasks = [asyncio.ensure_future(limiter.acquire()) for _ in range(20)]
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0.01)
                beats += 1
            await asyncio.gather(*tasks)
        finally:
            server.thaw()
        return beats

    # Half a second passed before Redis was given up; a blocked loop would not have beaten.
    assert asyncio.run(main()) >= 5
    assert "store_failed" in [event.kind for event in events]


def test_what_is_no_client():
    with pytest.raises(TypeError, match="redis"):
        RedisRateLimiter("redis://localhost", "x", 1)


@pytest.mark.parametrize("on_error", ["ignore", None])
def test_on_error_is_checked(server, on_error):
    with pytest.raises(ValueError, match="on_error"):
        RedisRateLimiter(server.client(), "x", 1, 1.0, on_error=on_error)


# ------------------------------------------------------------------ the shared breaker


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
    until(lambda: here.call(int) == 0)


def test_a_caller_cancelled_on_its_way_in_gives_its_slots_back(server):
    limiter = RedisRateLimiter(server.client(), "cancelled", 3, 600.0, wait=False, timeout=5)

    async def take():
        await limiter.acquire(2)

    cancelled_on_the_way(server, take())
    until(lambda: limiter.try_acquire(3))
    assert not limiter.try_acquire()


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


def until(true):
    """Ask again and again, for some seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if true():
                return
        except CircuitOpenError:
            pass
        time.sleep(0.02)
    raise AssertionError("it never was")


def test_a_predicate_that_fails_gives_the_probes_place_back(server):
    def judge(result):
        raise LookupError(result)

    config = {"failure_threshold": 1, "record_result": judge, "ignore": judge}
    here, _ = two(server, "judge", **config)
    for _ in range(2):
        with pytest.raises(LookupError):
            here.call(int)
        with pytest.raises(LookupError):
            asyncio.run(here.acall(asyncio.sleep, 0))
        with pytest.raises(LookupError):
            here.call(int, "x")
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
    with pytest.raises(CircuitOpenError, match="half-open"):
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
    with pytest.raises(CircuitOpenError, match="half-open"):
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
    for client in (server.client(), redis.Redis(port=1)):  # nobody listens there
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
