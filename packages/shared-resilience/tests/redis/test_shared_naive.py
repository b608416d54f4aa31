"""Behaviour that toys get wrong, limits in Redis: ours passes, the naive twin must fail each check."""

import asyncio
import contextlib
import threading
import time
from typing import Any

import pytest

from shared.resilience import RateLimitedError, RedisRateLimiter

QUICK: dict[str, Any] = {"timeout": 0.2, "retry_interval": 0.2}


class ReadThenWrite:
    """Reads a count and writes it back, in windows of this machine's clock."""

    def __init__(self, redis, name, calls, period, *_, **__):
        self.redis, self.name, self.calls, self.period = redis, name, calls, period

    def try_acquire(self):
        key = f"shared:rate:{self.name}:{int(time.time() / self.period)}"
        used = int(self.redis.get(key) or 0)
        if used < self.calls:
            self.redis.set(key, used + 1)
        return used < self.calls

    async def acquire(self):
        while not self.try_acquire():  # noqa: ASYNC110 - a toy polls
            await asyncio.sleep(self.period)


class AdmitForGood(ReadThenWrite):
    """Admits all calls after the first failure of Redis."""

    def try_acquire(self):
        import redis

        try:
            return self.redis is None or super().try_acquire()
        except redis.RedisError:
            self.redis = None
            return True


def naive(*twin):
    return pytest.param(*twin, marks=pytest.mark.xfail(raises=AssertionError, strict=True))


both = pytest.mark.parametrize("cls", [RedisRateLimiter, naive(ReadThenWrite)])
both_that_go_on = pytest.mark.parametrize("cls", [RedisRateLimiter, naive(AdmitForGood)])


@pytest.fixture
def name(request):
    return request.node.name


@pytest.fixture
def thawed(server):
    yield server
    server.thaw()


def impatient(server):
    """A client that does not wait for the twin's sake."""
    return server.client(socket_timeout=0.4, retry=None)


@both
def test_a_decision_is_atomic(cls, server, name):
    import redis

    reading = threading.Barrier(2, timeout=0.5)

    class Slow(redis.Redis):
        def get(self, key):
            value = super().get(key)
            with contextlib.suppress(threading.BrokenBarrierError):
                reading.wait()
            return value

    admitted = []

    def process():
        limiter = cls(Slow(port=server.port), name, 1, 60.0, timeout=5)
        admitted.append(limiter.try_acquire())

    processes = [threading.Thread(target=process) for _ in range(2)]
    for thread in processes:
        thread.start()
    for thread in processes:
        thread.join()
    assert sorted(admitted) == [False, True]


@both
def test_the_time_is_the_servers(cls, server, name, monkeypatch):
    limiter = cls(server.client(), name, 1, 60.0, timeout=5)
    assert limiter.try_acquire()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 120)  # on this machine
    assert not limiter.try_acquire()


@both
def test_keys_expire(cls, server, name):
    assert cls(server.client(), name, 1, 60.0, timeout=5).try_acquire()
    client = server.client()
    left = [client.pttl(key) for key in client.keys("shared:rate:*") if name in key.decode()]
    assert left
    assert all(0 < milliseconds <= 61_000 for milliseconds in left)


@pytest.mark.parametrize(
    ("cls", "on_error", "expected"),
    [
        (RedisRateLimiter, "admit", [True] * 4),
        (RedisRateLimiter, "refuse", [False] * 4),
        (RedisRateLimiter, "local", [True, True, False, False]),
        naive(AdmitForGood, "refuse", [False] * 4),
        naive(AdmitForGood, "local", [True, True, False, False]),
    ],
)
def test_an_outage_follows_on_error(cls, on_error, expected, thawed, name):
    limiter = cls(impatient(thawed), name, 2, 60.0, on_error=on_error, **QUICK)
    assert limiter.try_acquire()
    thawed.freeze()
    assert [limiter.try_acquire() for _ in range(4)] == expected


@both_that_go_on
def test_it_recovers_by_itself(cls, thawed, name):
    limiter = cls(impatient(thawed), name, 1, 60.0, on_error="admit", **QUICK)
    assert limiter.try_acquire()
    thawed.freeze()
    assert limiter.try_acquire()
    thawed.thaw()
    time.sleep(0.25)
    assert not limiter.try_acquire()


@both_that_go_on
def test_an_outage_blocks_no_event_loop(cls, thawed, name):
    limiter = cls(impatient(thawed), name, 100, 60.0, on_error="admit", timeout=0.4)
    beats = 0

    async def beat():
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    async def main():
        thawed.freeze()
        heart = asyncio.create_task(beat())
        await limiter.acquire()
        heart.cancel()

    asyncio.run(main())
    assert beats >= 5


def test_what_refuse_raises_says_when_to_come_back(thawed, name):
    limiter = RedisRateLimiter(thawed.client(), name, 2, 60.0, on_error="refuse", **QUICK)
    thawed.freeze()
    with pytest.raises(RateLimitedError) as caught:
        limiter.acquire()
    assert caught.value.retry_after == QUICK["retry_interval"]
