"""Rolling statistics and downsampling: equal to pandas and tsdownsample, on both paths."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import tsdownsample
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.timeseries import TimeSeries, downsample, ewma, fill_gaps, resample, rolling

STATS = ["mean", "sum", "min", "max", "std", "count", "median", "mad", "zscore", "p90"]


def by_pandas(values, window, stat, least):
    roll = pd.Series(values).rolling(window, min_periods=least)
    if stat == "mad":
        return roll.apply(lambda p: np.nanmedian(np.abs(p - np.nanmedian(p))), raw=True)
    if stat == "zscore":
        spread = roll.std()
        return (pd.Series(values) - roll.mean()) / spread.where(spread > 0)
    if stat == "p90":
        return roll.quantile(0.9)
    return getattr(roll, stat)()


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.one_of(st.just(np.nan), st.integers(-20, 20).map(float)), min_size=1, max_size=60
    ),
    window=st.integers(1, 15),
    least=st.integers(1, 15),
    stat=st.sampled_from(STATS),
)
@example(values=[np.nan, 3.0, 3.0, 3.0, 0.0, 0.0], window=6, least=1, stat="zscore")
def test_equal_to_pandas(values, window, least, stat):
    least = min(least, window)
    expected = by_pandas(values, window, stat, least).to_numpy()
    if stat == "count":
        expected = np.where(expected >= least, expected, np.nan)
    for fast in (False, True):
        found = rolling(values, window, stat, min_periods=least, fast=fast)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-7)


def test_many_pieces_and_hard_numbers():
    random = np.random.default_rng(0)
    values = np.concatenate(
        [random.normal(1e9, 1e-3, 40_000), random.normal(0, 1, 30_000), np.full(3000, 7.3),
         random.normal(1e-5, 1e-6, 3000)]
    )  # fmt: skip
    window = 50
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    np.testing.assert_allclose(rolling(values, window)[49:], views.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(rolling(values, window, "sum")[49:], views.sum(axis=1), rtol=1e-9)
    for fast in (False, True):
        found = rolling(values, window, "std", fast=fast)
        np.testing.assert_allclose(found[49:], views.std(axis=1, ddof=1), rtol=1e-6, atol=1e-12)
        assert not found[70_000 + window : 73_000].any()


def test_bad_requests():
    for how, match in (
        ({"stat": "magic"}, "stat"),
        ({"window": 0}, "window"),
        ({"window": 2.5}, "window"),
        ({"min_periods": 9}, "min_periods"),
    ):
        with pytest.raises(ValueError, match=match):
            rolling([1.0], **({"window": 3} | how))
    with pytest.raises(ValueError, match="exactly one"):
        ewma([1], alpha=0.5, span=3)
    with pytest.raises(ValueError, match="alpha"):
        ewma([1], alpha=0)
    assert rolling([], 3).tolist() == []


@settings(max_examples=40)
@given(
    values=st.lists(st.one_of(st.just(np.nan), st.floats(-100, 100)), max_size=40),
    weight=st.sampled_from([{"alpha": 0.3}, {"span": 5}, {"halflife": 2}, {"com": 1.5}]),
    adjust=st.booleans(),
)
def test_ewma_equals_pandas(values, weight, adjust):
    expected = pd.Series(values, dtype=float).ewm(**weight, adjust=adjust).mean()
    np.testing.assert_allclose(ewma(values, **weight, adjust=adjust), expected, atol=1e-9)


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
def test_bad_downsampling(fast):
    wrong: Any = downsample
    for call, match in (
        (lambda: wrong([3, 2, 1, 0], [1, 2, 3, 4], 3, fast=fast), "ascending"),
        (lambda: downsample([1, 2], [1], 3, fast=fast), "x, y"),
        (lambda: downsample(None, [1], 2, fast=fast), "n: 2"),
        (lambda: wrong(None, [1], 5, "magic", fast=fast), "method"),
        (lambda: wrong(None, [1], 5, output="series", fast=fast), "output"),
    ):
        with pytest.raises(ValueError, match=match):
            call()


def test_resample_and_fill_gaps_in_every_form():
    rows = [{"t": 0, "v": 1.0}, {"t": 30, "v": 3.0}, {"t": 150, "v": 8.0}]
    assert resample(rows, "t", "v", "1m") == [
        {"t": 0, "v": 2.0}, {"t": 60, "v": None}, {"t": 120, "v": 8.0},
    ]  # fmt: skip
    frame = resample(pd.DataFrame(rows), "t", "v", 60, fill="previous")
    assert frame["v"].tolist() == [2.0, 2.0, 8.0]
    series = TimeSeries.of(rows, "t", "v")
    assert resample(series, every="1m", fill="0").values.tolist() == [2.0, 0.0, 8.0]  # noqa: PD011
    naive = [{"t": pd.Timestamp("2024-01-01 00:00:10"), "v": 1.0, "h": "a"}]
    assert resample(naive, "t", "v", "1m", by="h") == [
        {"h": "a", "t": pd.Timestamp("2024-01-01"), "v": 1.0}
    ]
    filled = fill_gaps(rows, "t", "v", 50, method="previous")
    assert [(r["t"], r["v"]) for r in filled] == [
        (0, 1.0),
        (30, 3.0),
        (80, 3.0),
        (130, 3.0),
        (150, 8.0),
    ]
    assert len(fill_gaps(rows, "t", "v", 50, max_gap=60)) == 3
    assert fill_gaps(rows, "t", "v")[2] == {"t": 105, "v": None}
    with pytest.raises(ValueError, match="max_windows"):
        fill_gaps(rows, "t", "v", "1ns")
    with pytest.raises(ValueError, match="every"):
        fill_gaps(rows[:1], "t", "v")
    days = [{"t": "2024-03-30T00:00+01:00", "v": 1.0}, {"t": "2024-04-02T00:00+02:00", "v": 4.0}]
    steps = fill_gaps(days, "t", "v", "1d", tz="Europe/Berlin", method="previous")
    assert [r["t"].isoformat() for r in steps[1:3]] == [
        "2024-03-31T00:00:00+01:00",
        "2024-04-01T00:00:00+02:00",
    ]
