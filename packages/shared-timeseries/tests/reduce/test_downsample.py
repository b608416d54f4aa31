"""Fewer points: against tsdownsample, with holes, and as a series."""

from typing import Any

import numpy as np
import pytest
import tsdownsample
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.timeseries import TimeSeries, downsample


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(3, 800),
    n=st.integers(3, 100),
    even=st.booleans(),
    stride=st.integers(1, 3),
)
def test_lttb_equals_tsdownsample(seed, size, n, even, stride):
    random = np.random.default_rng(seed)
    x = np.arange(size * stride) if even else np.cumsum(random.random(size * stride))
    y = random.normal(size=size * stride).cumsum()
    expected = np.arange(size)
    if n < size:
        peer = tsdownsample.LTTBDownsampler()
        expected = peer.downsample(
            np.ascontiguousarray(x[::stride]), np.ascontiguousarray(y[::stride]), n_out=n
        )
    for fast in (False, True):
        assert downsample(x[::stride], y[::stride], n, fast=fast).tolist() == expected.tolist()


@pytest.mark.parametrize("method", ["lttb", "minmax", "minmaxlttb"])
@pytest.mark.parametrize("fast", [False, True])
def test_nan_is_never_chosen_and_ends_stay(method, fast):
    random = np.random.default_rng(1)
    y = random.normal(size=5000)
    for gone in ([], [0, 1, 2], [4999], random.choice(5000, 2000, replace=False)):
        holes = y.copy()
        holes[gone] = np.nan
        chosen = downsample(None, holes, 100, method, fast=fast)
        assert not np.isnan(holes[chosen]).any()
        assert (np.diff(chosen) > 0).all()
        assert len(chosen) <= 100
        known = np.flatnonzero(~np.isnan(holes))
        if "lttb" in method:
            assert (chosen[0], chosen[-1]) == (known[0], known[-1])


def test_minmax_keeps_the_extremes_and_mean_averages():
    y = np.zeros(1000)
    y[[123, 777]] = 5, -5
    assert {123, 777} <= set(downsample(None, y, 20, "minmax").tolist())
    x_mean, y_mean = downsample(np.arange(6), [1, 3, 5, 7, 9, 11], 3, method="mean")
    assert (x_mean.tolist(), y_mean.tolist()) == ([0.5, 2.5, 4.5], [2.0, 6.0, 10.0])
    assert downsample(None, [], 5).tolist() == []
    assert downsample(None, [np.nan] * 9, 5).tolist() == []


def test_series_in_and_out():
    series = TimeSeries(np.arange(1000) * 10**9 + 1_700_000_000 * 10**9, np.sin(np.arange(1000)))
    chosen = downsample(series, n=50)
    thin = downsample(series, n=50, output="series")
    assert thin.times.tolist() == series.times[chosen].tolist()
    assert len(downsample(series, n=10, method="mean", output="series")) == 10


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    ("arguments", "how", "match"),
    [
        (([3, 2, 1, 0], [1, 2, 3, 4], 3), {}, "x must be in ascending order"),
        (([1, 2], [1], 3), {}, "y must have as many values as x"),
        ((None, [1], 2), {}, "n must be a whole number of at least 3, not 2"),
        ((None, [1], 5, "magic"), {}, "method must be one of"),
        ((None, [1], 5), {"output": "lines"}, "output must be one of"),
        ((None, [1], 5), {"output": "series"}, "x must be a TimeSeries"),
    ],
)
def test_a_wrong_value_is_named(fast, arguments, how, match):
    wrong: Any = downsample
    with pytest.raises(ValueError, match=match):
        wrong(*arguments, **how, fast=fast)
