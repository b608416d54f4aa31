"""Sliding windows against pandas, at hard numbers too."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.timeseries import rolling

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


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({"stat": "magic"}, "stat"),
        ({"window": 0}, "window"),
        ({"window": 2.5}, "window"),
        ({"min_periods": 9}, "min_periods"),
        ({"min_periods": -1}, "min_periods"),
    ],
)
def test_bad_arguments_are_named(how, name):
    with pytest.raises(ValueError, match=f"{name} must be "):
        rolling([1.0], **({"window": 3} | how))


def test_nothing_rolls_to_nothing():
    assert rolling([], 3).tolist() == []


@pytest.mark.parametrize("stat", ["mean", "sum"])
@pytest.mark.parametrize("holes", [[], [0], [3, 700]])
def test_still_windows_are_exact_whatever_is_beside_them(stat, holes):
    values = np.zeros(1000)
    values[[100, 500]] = 1000 / 3
    values[holes] = np.nan
    found = rolling(values, 20, stat, min_periods=1)
    assert np.count_nonzero(found[~np.isnan(found)]) == 40
