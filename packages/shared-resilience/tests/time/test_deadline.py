"""Deadlines nest, tighten and travel."""

import asyncio
from typing import Any

import pytest

from shared.resilience import (
    Bulkhead,
    Hedge,
    Pipeline,
    RateLimiter,
    Retry,
    deadline,
    remaining,
    with_timeout,
)
from shared.resilience.testing import run_virtual


def test_deadlines_nest_and_only_tighten(clock):
    assert remaining() is None
    with deadline(10, clock=clock):
        with deadline(99, clock=clock):
            assert remaining() == 10
        with deadline(3, clock=clock):
            clock.advance(2)
            assert remaining() == 1
            clock.advance(2)
            assert remaining() == 0
        assert remaining() == 6
        with deadline(None, clock=clock):
            assert remaining() == 6
    assert remaining() is None


def test_a_deadline_on_methods(clock):
    class Service:
        @deadline(3, clock=clock)
        @classmethod
        def left(cls):
            return remaining()

        @deadline(4, clock=clock)
        @staticmethod
        async def aleft():
            return remaining()

    assert Service.left() == 3
    assert run_virtual(Service.aleft(), clock) == 4


def test_a_deadline_in_a_generator_that_another_task_closes():
    async def items():
        async with deadline(60):
            yield 1

    async def main():
        stream = items()
        assert await asyncio.create_task(anext(stream)) == 1
        await asyncio.create_task(stream.aclose())
        assert remaining() is None

    asyncio.run(main())


def test_an_async_deadline_interrupts():
    async def main():
        with pytest.raises(TimeoutError):
            async with deadline(1.0):
                await asyncio.sleep(9)
        assert remaining() is None

        @deadline(0.5)
        async def slow():
            await asyncio.sleep(9)

        with pytest.raises(TimeoutError):
            await slow()

    asyncio.run(asyncio.wait_for(main(), 5))


def test_deadlines_travel(clock):
    assert deadline.to_header() is None
    assert deadline.to_header("X-Left") == {}
    with deadline(1.5, clock=clock) as outer:
        clock.advance(0.5)
        assert outer.to_header() == "1000"
        headers = deadline.to_header("X-Left")
    assert headers == {"X-Left": "1000"}
    clock.advance(60)
    with deadline.from_header(headers, "x-left", clock=clock):
        assert remaining() == 1.0
    with deadline.from_header("0", clock=clock):
        assert remaining() == 0
    with deadline.from_header(None, clock=clock):
        assert remaining() is None


@pytest.mark.parametrize("text", ["", "soon", "-5", "1.5", "1e3", "9" * 40, "٣"])
def test_a_hostile_header_is_a_clear_error(text):
    with pytest.raises(ValueError, match="milliseconds"):
        deadline.from_header(text)


@pytest.mark.parametrize("text", ["9" * 15, "9" * 14])
def test_a_header_of_fifteen_digits_replaces_no_failure(text):
    def fail():
        raise ConnectionError

    policies: list[Any] = [
        *(Retry(2, 0), with_timeout(9, thread=True), Bulkhead(1, 1), RateLimiter(1, 0.001)),
        *(Hedge(9, thread=True), Pipeline.standard("x", thread=True)),
    ]
    for policy in policies:
        with deadline.from_header(text), pytest.raises(ConnectionError):
            assert remaining() <= 1e9  # type: ignore[operator]
            policy.call(fail)

    async def main():
        async with deadline.from_header("9" * 15):
            await with_timeout(asyncio.sleep(0), 5.0)
            return await Bulkhead(1).acall(asyncio.sleep, 0, "done")

    assert asyncio.run(main()) == "done"
