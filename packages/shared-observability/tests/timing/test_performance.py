"""Steps of a job, and benchmarks."""

import asyncio
import math
from typing import Any

import pytest

from shared.core.testing import VirtualClock
from shared.observability import (
    benchmark,
    capture_logs,
    performance_tracker,
)


def test_performance_tracker():
    clock = VirtualClock(100)
    with capture_logs() as logs, performance_tracker("job", track_memory=True, clock=clock) as job:
        for seconds in (1, 2, 3):
            with job.step("row"):
                clock.advance(seconds)
        assert job.elapsed == 6
    row = job.summary()["row"]
    assert (row["count"], row["total"], row["min"], row["max"]) == (3, 6, 1, 3)
    assert (logs[0]["duration_seconds"], logs[0]["steps"]["row"]["count"]) == (6, 3)
    assert "peak_bytes" in logs[0]


async def test_benchmark():
    clock = VirtualClock(100)
    calls = []

    @benchmark(iterations=5, track_memory=True, warmup=2, clock=clock)
    def work(n):
        calls.append(n)
        clock.advance(len(calls))
        return bytes(n)

    result: Any = work(1_000_000)
    assert list(result.times) == [3, 4, 5, 6, 7]
    assert (result.mean, result.median, result.min, result.max, result.total) == (5, 5, 3, 7, 25)
    assert result.iterations == 5
    assert len(result.result) == 1_000_000
    assert result.peak_memory >= 1_000_000
    assert result.stdev == pytest.approx(math.sqrt(2.5))

    @benchmark(3)
    async def later():
        await asyncio.sleep(0)
        return 7

    def run(fn: Any) -> Any:
        return fn()

    result = await run(later)
    assert (result.iterations, result.result, result.peak_memory) == (3, 7, None)


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ({"iterations": 0}, ValueError),
        ({"warmup": -1}, ValueError),
        ({"iterations": True}, TypeError),
    ],
)
def test_a_bad_benchmark_is_named(bad, kind):
    with pytest.raises(kind, match=f"{next(iter(bad))} must be"):
        benchmark(**bad)
