"""Streams in batches: lazy, bounded, safe to cancel."""

import asyncio
import contextvars
import functools
import gc
import itertools
from typing import Any

import anyio
import pytest

from shared.resilience import (
    process_in_batches,
)
from shared.resilience.testing import VirtualClock, run_virtual


class Meter:
    """A processor that knows how many batches exist at once."""

    def __init__(self, delays=()):
        self.now = self.most = 0
        self.delays = iter(delays)
        self.cancelled = 0

    async def __call__(self, batch):
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(next(self.delays, 0.1))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.now -= 1
        return sum(batch)


@pytest.mark.parametrize(("ordered", "expected"), [(True, [1, 5, 9]), (False, [5, 9, 1])])
def test_batches_in_order_or_as_they_come(ordered, expected):
    async def main():
        meter = Meter([3, 1, 2])
        stream = process_in_batches(range(6), 2, meter, max_in_flight=3, ordered=ordered)
        return [result async for result in stream]

    assert run_virtual(main()) == expected


def test_an_endless_source_is_read_no_further_than_needed():
    taken = itertools.count()

    async def main():
        meter = Meter()
        stream = aiter(process_in_batches(taken, 10, meter, max_in_flight=4))
        for _ in range(3):
            await anext(stream)
        await stream.aclose()
        assert meter.most == 4
        assert meter.now == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())
    assert next(taken) <= 10 * (3 + 4)


def test_a_slow_source_holds_no_result_back():
    closed = []

    async def slow():
        try:
            for number in range(3):
                yield number
                await asyncio.sleep(100)
        finally:
            closed.append(True)

    clock = VirtualClock()

    async def main():
        stream = aiter(process_in_batches(slow(), 1, Meter(), max_in_flight=2))
        first = await anext(stream)
        when = clock()
        await stream.aclose()
        return first, when

    assert run_virtual(main(), clock) == (0, pytest.approx(0.1))
    assert closed == [True]


def test_a_failing_batch_is_raised_in_its_place_and_the_rest_cancelled():
    meter = Meter([0.1, 0.1, 50])

    async def processor(batch):
        result = await meter(batch)
        if batch == [1]:
            raise ValueError("second")
        return result

    async def main():
        results = []
        with pytest.raises(ValueError, match="second"):
            async for result in process_in_batches(range(9), 1, processor, max_in_flight=3):
                results.append(result)
        return results

    assert run_virtual(main()) == [0]
    assert meter.cancelled >= 1
    assert meter.now == 0


def test_batches_awaited_or_in_plain_code():
    async def main():
        return await process_in_batches([1, 2, 3], 2, sum, max_in_flight=2)

    assert asyncio.run(main()) == [3, 3]
    assert list(process_in_batches(iter(range(5)), 2, list)) == [[0, 1], [2, 3], [4]]
    assert list(process_in_batches([], 2, list)) == []
    with pytest.raises(TypeError, match="async"):
        list(process_in_batches([1], 1, Meter()))


async def doubled(batch):
    """Give one result per item, as many old processors do."""
    for number in batch:
        await asyncio.sleep(0)
        yield 2 * number


PROCESSORS = {
    "async generator": doubled,
    "plain function": lambda batch: doubled(batch),  # noqa: PLW0108 - that is the case
    "partial": functools.partial(doubled),
}


@pytest.mark.parametrize("processor", PROCESSORS.values(), ids=PROCESSORS)
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("ordered", [True, False])
async def test_an_async_generator_gives_many_results_per_batch(processor, width, ordered):
    stream = process_in_batches(range(7), 3, processor, max_in_flight=width, ordered=ordered)
    results = [result async for result in stream]
    assert (results if ordered else sorted(results)) == [0, 2, 4, 6, 8, 10, 12]


async def test_an_async_generator_is_closed_with_the_loop_and_made_no_longer_than_needed():
    made, closed = [], []

    async def endless(batch):
        try:
            while True:
                made.append(batch)
                yield batch
        finally:
            closed.append(asyncio.current_task())

    stream = aiter(process_in_batches(range(9), 2, endless, max_in_flight=2))
    assert [await anext(stream) for _ in range(5)] == [[0, 1]] * 5
    await stream.aclose()
    assert len(made) <= 5 + 2 * 2 + 2
    assert len(set(closed)) == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_an_async_generator_cannot_process_in_plain_code():
    processors: list[Any] = [doubled, PROCESSORS["plain function"], lambda _: asyncio.sleep(0)]
    for processor in processors:
        with pytest.raises(TypeError, match="async"):
            list(process_in_batches([1], 1, processor))


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="lost")


async def steps(seen, count=4):
    """Note task and context of each step, inside a time limit and a cancel scope."""
    token = variable.set("kept")
    try:
        async with asyncio.timeout(60):
            with anyio.CancelScope():
                for number in range(count):
                    seen.append((asyncio.current_task(), variable.get()))
                    yield number
    finally:
        seen.append((asyncio.current_task(), variable.get()))
        variable.reset(token)


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("read", [1, 2, 4])
async def test_all_steps_of_a_source_run_in_one_task(width, read):
    seen: list[Any] = []
    stream = aiter(process_in_batches(steps(seen), 1, sum, max_in_flight=width))
    assert [await anext(stream) for _ in range(read)] == list(range(read))
    await stream.aclose()
    assert len({task for task, _ in seen}) == 1
    assert {value for _, value in seen} == {"kept"}
    assert variable.get() == "lost"


async def test_all_steps_of_a_processor_run_in_one_task():
    seen: list[Any] = []
    stream = process_in_batches([4], 1, lambda _: steps(seen))
    assert await stream == [0, 1, 2, 3]
    assert len({task for task, _ in seen}) == 1
    assert {value for _, value in seen} == {"kept"}


@pytest.mark.parametrize("reads", [1, 2])
def test_a_time_limit_of_a_source_fires(reads):
    async def limited():
        async with asyncio.timeout(5):
            for number in range(reads):
                yield number
            await asyncio.sleep(60)

    clock = VirtualClock()

    async def main():
        results: list[int] = []
        with pytest.raises(TimeoutError):
            async for result in process_in_batches(limited(), 1, sum):
                results.append(result)
        return results

    assert run_virtual(main(), clock) == list(range(reads))
    assert clock() == pytest.approx(5)


def test_a_source_that_fails_raises_after_what_it_gave_before():
    async def broken():
        yield 1
        yield 2
        raise ConnectionError("broken")

    async def main():
        results: list[int] = []
        with pytest.raises(ConnectionError, match="broken"):
            async for result in process_in_batches(broken(), 1, Meter([3, 1]), max_in_flight=3):
                results.append(result)
        return results

    assert run_virtual(main()) == [1, 2]


async def test_a_loop_that_is_left_at_once_leaves_nothing_behind():
    async for result in process_in_batches(range(9), 1, lambda batch: batch, max_in_flight=3):
        assert result == [0]
        break
    gc.collect()
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == {asyncio.current_task()}
