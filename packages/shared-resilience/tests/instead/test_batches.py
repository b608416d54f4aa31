"""Streams in batches: lazy, bounded, safe to cancel."""

import asyncio
import itertools

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
