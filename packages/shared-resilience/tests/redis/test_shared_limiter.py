"""Limits in a real Valkey: exact among processes; stopped, killed and back again."""

import asyncio
import importlib
import subprocess
import sys
import time

import pytest
import redis
import redis.asyncio

from shared.resilience import (
    CircuitOpenError,
    RateLimitedError,
    RedisCircuitBreaker,
    RedisRateLimiter,
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


def test_what_is_not_a_client_is_refused_without_its_password():
    with pytest.raises(TypeError, match="redis must be a") as caught:
        RedisRateLimiter("redis://app:hunter2@localhost", "x", 1)
    assert "app:[REDACTED]@localhost" in str(caught.value)


def arguments_of(client):
    """The connection arguments of a limiter's own connections."""
    limiter = RedisRateLimiter(client, "x", 1, timeout=0.1)
    pool = limiter._store._client.connection_pool
    return pool.connection_class, pool.connection_kwargs


@pytest.mark.parametrize("module", ["redis", "redis.asyncio"])
def test_the_clients_connection_arguments_are_used(module):
    Redis = importlib.import_module(module).Redis
    kind, arguments = arguments_of(
        Redis(
            host="cache.internal",
            port=7000,
            db=3,
            username="app",
            password="secret",
            ssl=True,
            ssl_ca_certs="/ca.pem",
            client_name="orders",
            health_check_interval=30,
            socket_timeout=60,
            retry_on_error=[OSError],
        )
    )
    assert kind is redis.SSLConnection
    kept = {
        "host": "cache.internal",
        "port": 7000,
        "db": 3,
        "username": "app",
        "password": "secret",
        "ssl_ca_certs": "/ca.pem",
        "client_name": "orders",
        "health_check_interval": 30,
    }
    assert arguments.items() >= kept.items()
    assert arguments["socket_timeout"] == arguments["socket_connect_timeout"] == 0.1
    assert arguments["retry_on_error"] == []


def test_what_a_pool_of_another_kind_made_for_itself_is_not_used():
    def connect(connection):
        raise AssertionError("must not be called")

    client = redis.asyncio.Redis(redis_connect_func=connect)
    assert "redis_connect_func" not in arguments_of(client)[1]
    handler = client.connection_pool.connection_kwargs.get("maint_notifications_pool_handler")
    assert (
        handler is None
        or arguments_of(client)[1].get("maint_notifications_pool_handler") is not handler
    )


@pytest.mark.parametrize("make", [RedisRateLimiter, RedisCircuitBreaker])
@pytest.mark.parametrize(("old", "new"), [("open", "admit"), ("closed", "refuse")])
def test_the_old_words_for_on_error_name_the_new_ones(make, old, new):
    more = (1,) if make is RedisRateLimiter else ()
    with pytest.warns(DeprecationWarning, match=f"on_error='{new}'") as caught:
        policy = make(redis.Redis(port=1), "x", *more, on_error=old)
    assert policy.on_error == new
    assert caught[0].filename == __file__


@pytest.mark.parametrize("on_error", ["ignore", None])
def test_on_error_is_checked(server, on_error):
    with pytest.raises(ValueError, match="on_error"):
        RedisRateLimiter(server.client(), "x", 1, 1.0, on_error=on_error)


def test_a_caller_cancelled_on_its_way_in_gives_its_slots_back(server):
    limiter = RedisRateLimiter(server.client(), "cancelled", 3, 600.0, wait=False, timeout=5)

    async def take():
        await limiter.acquire(2)

    cancelled_on_the_way(server, take())
    until(lambda: limiter.try_acquire(3), "the slots coming back")
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
