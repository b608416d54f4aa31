"""Code written for earlier packages runs as it stands."""

import math
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared import timeseries

# Former names are not in the types.
ts: Any = timeseries
START = datetime(2025, 1, 1)


def test_windows_between_a_start_time_and_an_end_time():
    windows = ts.create_time_windows(
        start_time=START, end_time=datetime(2025, 1, 2), window_size=timedelta(hours=1)
    )
    assert len(windows) == 24
    assert windows[0] == (START, START + timedelta(hours=1))
    mixed = ts.create_time_windows(START, end_time=datetime(2025, 1, 2), window_size="1h")
    assert mixed == windows


def test_anomalies_of_data():
    values = [10, 12, 11, 10, 50, 11, 12]
    assert ts.detect_anomalies(data=values) == [4]
    assert ts.detect_anomalies(data=values, threshold_std_dev=2.0, details=True).indices == [4]


def test_the_rate_of_change_under_its_former_key():
    rows = [{"timestamp": START + timedelta(minutes=i), "value": i * i} for i in range(3)]
    found = ts.calculate_rate_of_change(rows, "timestamp", "value")
    assert [row["rate_of_change"] for row in found] == [1 / 60, 3 / 60]
    assert [row["timestamp"] for row in found] == [row["timestamp"] for row in rows[1:]]
    assert ts.calculate_rate_of_change(rows[:1], "timestamp", "value") == []
    frame = ts.calculate_rate_of_change(rows, "timestamp", "value", output="pandas")
    assert frame["rate_of_change"].tolist() == frame["rate"].tolist()
    series = ts.calculate_rate_of_change(rows, "timestamp", "value", output="series")
    assert series.values.tolist() == [1 / 60, 3 / 60]


def test_a_percentile_by_its_former_name_and_of_nothing():
    assert ts.calculate_percentile([1, 2, 3, 4, 5], percentile=50) == 3.0
    assert ts.calculate_percentile(values=[1, 2, 3, 4, 5], percentile=50) == 3.0
    for nothing in ([], [math.nan], [None]):
        with pytest.raises(ValueError, match="at least one number"):
            ts.calculate_percentile(nothing, 50)
        with pytest.raises(ValueError, match="at least one number"):
            ts.calculate_percentile(nothing, [50, 95])
    with pytest.raises(ValueError, match="q must be from 0 to 100"):
        ts.calculate_percentile([1], 101)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ts.detect_anomalies(values=[1], data=[1]),
        lambda: ts.detect_anomalies(data=[1], values=[1]),
        lambda: ts.create_time_windows(start=0, start_time=0, end=1, window_size=1),
        lambda: ts.create_time_windows(0, 1, 1, start_time=0),
    ],
    ids=["new first", "old first", "keywords", "positional"],
)
def test_an_argument_under_two_names_is_refused(call):
    with pytest.raises(TypeError, match=r"twice|multiple values"):
        call()
