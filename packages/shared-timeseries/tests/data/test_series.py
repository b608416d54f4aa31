"""`TimeSeries`: read, sorted, immutable, pickled."""

import pickle

import numpy as np
import pytest

from shared.timeseries import TimeSeries, rolling


def test_it_does_not_change_and_comes_back_whole():
    series = TimeSeries([2, 1, 1], [3.0, np.nan, 1.0], unit="s", tz="Europe/Berlin")
    assert series.times.tolist() == [10**9, 10**9, 2 * 10**9]
    again = pickle.loads(pickle.dumps(series))
    assert again == series
    assert (str(again.tz), again.dropped) == ("Europe/Berlin", 0)
    assert b"_data" not in pickle.dumps(series).split(b"TimeSeries")[0]
    with pytest.raises(AttributeError, match="dropped"):
        series.dropped = 1
    with pytest.raises(TypeError, match="index must be a slice, not 0"):
        series[0]  # type: ignore[index]


def test_its_values_go_in_where_values_do():
    series = TimeSeries([0, 1, 2], [1.0, 2.0, 6.0], unit="s")
    assert rolling(series, 2).tolist()[1:] == [1.5, 4.0]
    assert TimeSeries.of(series) == series
