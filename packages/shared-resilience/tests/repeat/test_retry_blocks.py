"""Retried blocks and generators."""

import asyncio

import pytest

from shared.resilience import (
    Retry,
    deadline,
    remaining,
)
from shared.resilience.testing import run_virtual


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, failures, exc=ConnectionError):
        self.failures, self.exc, self.calls = failures, exc, 0

    def __call__(self, *args):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.exc(f"number {self.calls}")
        return "answer"

    async def awaited(self, *args):
        await asyncio.sleep(0)
        return self(*args)


def test_blocks(clock):
    flaky = Flaky(2)
    numbers = []
    answer = None
    for attempt in Retry(3, 1.0, jitter="none", backoff=1.0, clock=clock):
        with attempt:
            numbers.append(attempt.number)
            answer = flaky()
    assert (numbers, answer, clock()) == ([1, 2, 3], "answer", 1002.0)
    with pytest.raises(ConnectionError, match="number 2"):
        for attempt in Retry(2, 0, clock=clock):
            with attempt:
                numbers.append(Flaky.__call__(flaky2))
    with pytest.raises(KeyboardInterrupt):
        for attempt in Retry(2, 0, clock=clock):
            with attempt:
                raise KeyboardInterrupt


flaky2 = Flaky(9)


def test_async_blocks(clock):
    flaky = Flaky(2)

    async def main():
        answer = None
        async for attempt in Retry(3, 1.0, jitter="none", backoff=1.0, clock=clock):
            with attempt:
                answer = await flaky.awaited()
        return answer

    assert run_virtual(main(), clock) == "answer"
    assert clock() == pytest.approx(1002.0)


def test_a_block_waits_no_longer_than_the_deadline_around_it(clock):
    with deadline(5.0, clock=clock), pytest.raises(ConnectionError):
        for attempt in Retry(
            None, 2.0, jitter="none", backoff=1.0, max_delay=2.0, timeout=100.0, clock=clock
        ):
            with attempt:
                Flaky(1)()
    assert clock() == 1004.0


def test_blocks_know_what_time_is_left(clock):
    left = []
    with pytest.raises(ConnectionError):
        for attempt in Retry(None, 2.0, jitter="none", backoff=1.0, timeout=5.0, clock=clock):
            with attempt:
                left.append(remaining())
                Flaky(1)()
    assert left == [5.0, 3.0, 1.0]
    assert remaining() is None


async def consume(stream):
    return [item async for item in stream]


def test_a_block_has_no_attempt_timeout():
    retry = Retry(2, 0, attempt_timeout=1.0)
    with pytest.raises(TypeError, match="attempt_timeout"):
        next(iter(retry))
    with pytest.raises(TypeError, match="attempt_timeout"):
        asyncio.run(consume(retry))
    with pytest.raises(TypeError, match="generator"):

        @retry
        def items():
            yield 1


def test_generators_and_timeouts(seen):
    async def items():
        got.append(1)
        yield 1
        await asyncio.sleep(3600)
        yield 2

    for policy, tries in ((Retry(3, 0, attempt_timeout=0.02), 3), (Retry(3, 0, timeout=0.02), 1)):
        got: list[int] = []
        with pytest.raises(TimeoutError):
            asyncio.run(consume(policy(items)()))
        assert got == [1] * tries
    assert {details.name for details in seen} == {
        f"{__name__}.test_generators_and_timeouts.<locals>.items"
    }


def test_generators_start_again(clock):
    flaky = Flaky(1)

    @Retry(2, 0, clock=clock)
    def items():
        yield 1
        yield flaky()

    assert list(items()) == [1, 1, "answer"]
    flaky.calls = 0

    @Retry(2, 0, clock=clock)
    async def aitems():
        got = yield 1
        flaky()
        yield got

    async def main():
        stream = aitems()
        assert [await anext(stream), await stream.asend("lost"), await stream.asend("kept")] == [
            1,
            1,
            "kept",
        ]
        await stream.aclose()

    run_virtual(main(), clock)
