"""Bounds on memory, measured: what is taken beside the data is a fixed share of it."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from shared.timeseries import TimeSeries, aggregate_time_series, downsample, rolling

SIZE = 1_000_000
AT = np.datetime64("2024-01-01", "ns") + np.arange(SIZE) * np.timedelta64(1, "s")
VALUES = np.random.default_rng(0).normal(50, 10, SIZE)


@pytest.mark.parametrize(
    ("call", "bytes_a_point"),
    [
        (lambda: TimeSeries(AT, VALUES), 1),
        (
            lambda: aggregate_time_series(
                (AT, VALUES), aggregation=["avg", "max", "sum"], fast=False
            ),
            5,
        ),
        (lambda: aggregate_time_series((AT, VALUES), aggregation="p95", fast=False), 60),
        (lambda: rolling(VALUES, 60, "zscore", fast=False), 20),
        (lambda: downsample(None, VALUES, 1000, fast=False), 40),
    ],
)
def test_peak_beside_the_data(call, bytes_a_point):
    call()
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= bytes_a_point * SIZE


def test_rolling_medians_are_sorted_in_blocks():
    tracemalloc.start()
    rolling(VALUES[:200_000], 500, "median", fast=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 250_000_000  # all windows at once would be 800 MB


GROWTH = """
import resource
import numpy as np
from shared import timeseries as ts

def run(size):
    at = np.datetime64("2024-01-01", "ns") + np.arange(size) * np.timedelta64(1, "s")
    values = np.random.default_rng(0).normal(50, 10, size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    five = ["avg", "min", "max", "sum", "count"]
    ts.aggregate_time_series((at, values), aggregation=five, fast=False)
    ts.aggregate_time_series((at, values), aggregation="p95", fast=False)
    ts.rolling(values, 60, "zscore", fast=False)
    ts.downsample(at, values, 1000, fast=False)
    ts.counter_rate((at, values), window_size="1m")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

run(10_000)  # what is loaded once
print(run(10_000_000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ru_maxrss has another unit")
def test_ten_million_points_in_bounded_memory():
    """The points take 160 MB; the process's peak grows by less than twice as much."""
    done = subprocess.run(
        [sys.executable, "-c", GROWTH], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) * 1024 < 30 * 10_000_000
