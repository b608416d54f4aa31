"""Every form of data is read as the same columns, and what is missing is named."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shared import timeseries as ts
from shared.timeseries import TimeSeries, aggregate_time_series
from shared.timeseries._data.columns import read_values
from shared.timeseries._data.points import read_points

ROWS = [{"t": 0, "v": 1.0}, {"t": 1, "v": None}]
FRAME = pd.DataFrame({"t": [0, 1], "v": [1.0, np.nan]})
FORMS = {
    "records": ROWS,
    "generator": (row for row in ROWS),
    "pandas": FRAME,
    "pandas index": FRAME.set_index("t"),
    "polars": pl.DataFrame(ROWS),
    "lazy polars": pl.LazyFrame(ROWS),
    "mapping": {"t": [0, 1], "v": [1.0, None]},
}
NAMELESS = {
    "pandas series": FRAME.set_index("t")["v"],
    "matrix": np.array([[0, 1.0], [1, np.nan]]),
    "pair of columns": ([0, 1], [1.0, None]),
    "list of pairs": [(0, 1.0), (1, None)],
    "series": TimeSeries([0, 1], [1.0, None], unit="s"),
}


@pytest.mark.parametrize("form", FORMS)
def test_named_columns_are_read(form):
    points = read_points(FORMS[form], "t", "v")
    assert points.times.tolist() == [0, 10**9]
    np.testing.assert_array_equal(points.values, [1.0, np.nan])


@pytest.mark.parametrize("form", NAMELESS)
def test_two_columns_need_no_names(form):
    points = read_points(NAMELESS[form])
    assert points.times.tolist() == [0, 10**9]
    np.testing.assert_array_equal(points.values, [1.0, np.nan])


def test_times_may_come_first_and_the_only_other_column_is_the_value():
    points = read_points([0, 1], [5.0, 6.0])
    np.testing.assert_array_equal(points.values, [5.0, 6.0])
    points = read_points(pd.DataFrame({"timestamp": [0], "cpu": [7.0]}))
    np.testing.assert_array_equal(points.values, [7.0])


@pytest.mark.parametrize(
    ("data", "names", "kind", "match"),
    [
        (FRAME, ("t", "x"), KeyError, "no column 'x' in the frame; it has t, v"),
        (FRAME, ("x", "v"), KeyError, "no column 'x' in the frame"),
        (pl.DataFrame(ROWS), ("x", "v"), KeyError, "no column 'x' in the frame"),
        ({"t": [0]}, ("t", "v"), KeyError, "no column 'v' in the data; it has t"),
        (ROWS, ("t", "x"), KeyError, "has no field 'x'"),
        ("text", (), TypeError, "data must be a list of dicts"),
        ([(0, 1, 2)], (), TypeError, r"data\[0\] must be a dict or a \(time, value\) pair"),
        ([0], (7,), TypeError, "timestamp_field must be a name"),
        (([0, 1], [1.0]), (), ValueError, "as many values as times, not 1 and 2"),
    ],
)
def test_what_is_missing_is_named(data, names, kind, match):
    with pytest.raises(kind, match=match):
        read_points(data, *names)


def test_groups_are_sorted_and_as_long_as_the_data():
    rows = [{"t": 0, "v": 1, "g": g} for g in ("b", None, 2, "a", 10)]
    assert read_points(rows, "t", "v", by="g").keys == ((2,), (10,), (None,), ("a",), ("b",))
    with pytest.raises(ValueError, match="by column 'g' must have 2 rows, not 1"):
        read_points({"t": [0, 1], "v": [1, 2], "g": ["a"]}, "t", "v", by="g")
    with pytest.raises(ValueError, match="by must be omitted for a TimeSeries"):
        read_points(NAMELESS["series"], by="g")


@pytest.mark.parametrize(
    ("values", "kind", "match"),
    [
        ([1, b"2"], TypeError, r"v\[1\] must be a number, not b'2'"),
        ([1, {}], TypeError, r"v\[1\] must be a number"),
        (np.array(["a"]), TypeError, "v must hold numbers"),
        (np.zeros((1, 1)), ValueError, "v must have one dimension, not 2"),
    ],
)
def test_values_that_are_not_numbers_are_refused(values, kind, match):
    with pytest.raises(kind, match=match):
        read_values(values, "v")


def test_integers_beyond_int64_and_missing_values_are_floats():
    assert read_values([2**70, 1], "v").tolist() == [2.0**70, 1.0]
    assert np.isnan(read_values(pd.array([None], dtype="Int64"), "v")).all()


def test_a_series_has_no_groups():
    rows = [{"t": 0, "v": 1, "g": "a"}]
    with pytest.raises(ValueError, match="output must not be 'series'"):
        aggregate_time_series(rows, "t", "v", by="g", output="series")


MISSING: dict[str, list[Any]] = {
    "NaN, each another object": [float("nan"), float("nan")],
    "None": [None, None],
    "NaT": [pd.NaT, pd.NaT],
    "NA": [pd.NA, pd.NA],
    "of several kinds": [float("nan"), None],
}


@pytest.mark.parametrize("case", MISSING)
@pytest.mark.parametrize("as_frame", [False, True])
def test_rows_with_a_missing_key_are_one_group(case, as_frame):
    first, second = MISSING[case]
    rows: Any = [
        {"timestamp": 0, "value": 1.0, "host": first},
        {"timestamp": 60, "value": 2.0, "host": "a"},
        {"timestamp": 120, "value": 4.0, "host": second},
        {"timestamp": 180, "value": 8.0, "host": "a"},
    ]
    data = pd.DataFrame(rows) if as_frame else rows
    found = ts.aggregate_time_series(
        data, window_size="1h", aggregation="sum", by="host", output="records"
    )
    assert [(row["host"], row["value"]) for row in found] == [(None, 5.0), ("a", 10.0)]
    assert ts.counter_increase(data, by="host") == {None: 3.0, "a": 6.0}
    assert len(ts.calculate_rate_of_change(data, by="host", output="records")) == 2


def test_numbers_with_missing_keys_are_grouped_as_one():
    frame = pd.DataFrame(
        {"timestamp": range(6), "value": 1.0, "shard": [1.0, np.nan, 2.0, np.nan, 1.0, np.nan]}
    )
    found = ts.aggregate_time_series(frame, window_size=60, aggregation="sum", by="shard")
    assert found["value"].tolist() == [2.0, 1.0, 3.0]
    assert found["shard"].isna().tolist() == [False, False, True]
