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
    assert again.time_form == series.time_form
    assert b"timeseries._" not in pickle.dumps(series)  # where files stand shows in no pickle
    with pytest.raises(AttributeError, match="dropped"):
        series.dropped = 1
    with pytest.raises(TypeError, match="index must be a slice, not 0"):
        series[0]  # type: ignore[index]


def test_its_values_go_in_where_values_do():
    series = TimeSeries([0, 1, 2], [1.0, 2.0, 6.0], unit="s")
    assert rolling(series, 2).tolist()[1:] == [1.5, 4.0]
    assert TimeSeries.of(series) == series


@pytest.mark.parametrize(
    ("arguments", "how", "kind", "match"),
    [
        (([0, 1], [1.0]), {}, ValueError, "values must be as many as times, not 1 for 2"),
        ((["2024-01-01"], [1.0]), {"tz": "UTC"}, TypeError, "times must be aware"),
        (([0], [1.0]), {"unit": "min"}, ValueError, "unit must be one of"),
    ],
)
def test_a_series_that_does_not_fit_is_refused(arguments, how, kind, match):
    with pytest.raises(kind, match=match):
        TimeSeries(*arguments, **how)


def test_points_without_a_time_are_dropped_and_counted():
    series = TimeSeries(["2024-01-01", None], [1.0, 2.0])
    assert (len(series), series.dropped) == (1, 1)
    assert repr(series) == "<TimeSeries: 1 points, 2024-01-01 00:00:00 to 2024-01-01 00:00:00>"
    assert repr(series[1:]) == "<TimeSeries: no points>"
    assert series != [1.0]


def test_pandas_gets_the_zone():
    series = TimeSeries([0], [1.0], unit="s", tz="Europe/Berlin").to_pandas()
    assert series.index[0].isoformat() == "1970-01-01T01:00:00+01:00"
    assert TimeSeries(["2024-01-01"], [1.0]).to_pandas().index.tz is None  # type: ignore[attr-defined]
