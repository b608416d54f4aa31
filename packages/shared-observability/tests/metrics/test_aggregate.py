"""Windows, bounds and threads."""

import math
import threading
from typing import Any

import pytest

from shared.core.testing import VirtualClock
from shared.observability import (
    MetricsAggregator,
)


def test_aggregator_windows():
    clock = VirtualClock(100)
    metrics = MetricsAggregator(10, 3, clock=clock)
    for value in range(1, 61):
        metrics.record("x", value)
        clock.advance(1)
    # 160 now: the kept windows began at 140, 150 and 160; the last one is empty.
    assert metrics.count("x") == 20
    assert metrics.sum("x") == sum(range(41, 61))
    assert metrics.count("x", 1) == 0
    assert metrics.count("x", 2) == 10
    assert metrics.rate("x") == 20 / 30
    summary = metrics.summary("x")
    assert (summary.min, summary.max, summary.mean) == (41, 60, 50.5)
    assert summary.p50 == pytest.approx(50, rel=0.01)
    other = MetricsAggregator(10, 3, clock=clock)
    other.record("y", 5)
    other.merge(metrics)
    assert other.names() == ["x", "y"]
    assert other.count("x") == 20
    clock.advance(100)
    assert metrics.names() == []
    assert math.isnan(metrics.summary("x").mean)
    with pytest.raises(ValueError, match="cannot merge"):
        MetricsAggregator(error=0.1).merge(other)


def test_aggregator_threads_and_bounds():
    metrics = MetricsAggregator(max_names=3, clock=lambda: 0.0)

    def fill(t):
        for n in range(500):
            metrics.record(f"name-{n % 5}", t)

    threads = [threading.Thread(target=fill, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(metrics.names()) == 4
    assert sum(metrics.count(name) for name in metrics.names()) == 2000


@pytest.mark.parametrize("name", ["window", "windows", "max_names"])
def test_a_bad_bound_is_named(name):
    bad: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be"):
        MetricsAggregator(**bad)
