"""Windows of time, against pandas."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared import timeseries

ts: Any = timeseries
STATS = ["mean", "sum", "min", "max", "std", "count", "median", "mad", "zscore", "p90"]


def series_of(kind):
    random = np.random.default_rng(6)
    seconds = {
        "regular": np.arange(300) * 30,
        "irregular": np.sort(random.choice(20_000, 300, replace=False)),
        "with equal times": np.sort(random.integers(0, 9000, 300)),
        "in bursts": np.concatenate([s * 4000 + np.arange(60) for s in range(5)]),
    }[kind]
    values = random.normal(5, 2, len(seconds))
    values[random.integers(0, len(seconds), 20)] = np.nan
    values[100:140] = 7.3
    return pd.Series(values, index=pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s"))


@pytest.mark.parametrize("kind", ["regular", "irregular", "with equal times", "in bursts"])
@pytest.mark.parametrize("window", ["1s", "90s", "10min", "2h"])
@pytest.mark.parametrize("least", [1, 4])
@pytest.mark.parametrize("stat", STATS)
def test_equal_to_pandas(kind, window, least, stat):
    series = series_of(kind)
    rolled = series.rolling(window, min_periods=least)
    if stat == "mad":
        expected = rolled.apply(lambda p: np.nanmedian(np.abs(p - np.nanmedian(p))), raw=True)
    elif stat == "zscore":
        spread = rolled.std()
        expected = (series - rolled.mean()) / spread.where(spread > 1e-9)
    else:
        expected = rolled.quantile(0.9) if stat == "p90" else getattr(rolled, stat)()
    if stat == "count":
        expected = expected.where(expected >= least)
    found = ts.rolling(series, window, stat, min_periods=least)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-7)


def test_every_form_of_times_and_of_windows():
    series = series_of("irregular")
    expected = series.rolling("10min").mean()
    seconds = (series.index - pd.Timestamp("1970-01-01")) // pd.Timedelta("1s")
    view = ts.TimeSeries(series.index, series.to_numpy())
    for window in ("10m", "600s", dt.timedelta(minutes=10), pd.Timedelta("10min"),
                   np.timedelta64(10, "m"), pd.offsets.Minute(10)):  # fmt: skip
        for values, times in (
            (series, None), (view, None), (series.to_list(), series.index),
            (series.to_numpy(), seconds.to_numpy()),
        ):  # fmt: skip
            found = ts.rolling(values, window, times=times)
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_day_is_24_hours():
    index = pd.date_range("2024-03-30", periods=60, freq="1h", tz="Europe/Berlin")
    series = pd.Series(np.arange(60.0), index=index)
    np.testing.assert_array_equal(ts.rolling(series, "1d", "sum"), series.rolling("1D").sum())


@pytest.mark.parametrize(
    ("values", "window", "times", "kind", "match"),
    [
        ([1.0, 2.0], "1m", None, TypeError, "times must be given"),
        ([1.0, 2.0], "1m", [60, 0], ValueError, "times must be ascending"),
        ([1.0, 2.0], "1m", [0, None], ValueError, "times must be ascending"),
        ([1.0, 2.0], "1m", [0], ValueError, "times must be as many as values"),
        ([1.0, 2.0], "1mo", [0, 1], ValueError, "window must be of a fixed length"),
        ([1.0, 2.0], "0s", [0, 1], ValueError, "window must be above zero"),
        ([1.0, 2.0], 2, [0, 1], ValueError, "times must be omitted"),
    ],
)
def test_other_times_are_refused(values, window, times, kind, match):
    with pytest.raises(kind, match=match):
        ts.rolling(values, window, times=times)


def test_nothing_rolls_to_nothing_in_time():
    assert ts.rolling([], "1m", times=[]).tolist() == []
