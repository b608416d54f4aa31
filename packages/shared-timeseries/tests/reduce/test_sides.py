"""Which side of a window owns its edge, which one names it, and shifted edges: as in pandas."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shared import timeseries

ts: Any = timeseries
RULES = ["1h", "90min", "1D", "7h"]


def frame_of(seed=0, tz=None):
    """Points of which many stand on an edge."""
    random = np.random.default_rng(seed)
    minutes = np.unique(random.integers(0, 5 * 1440, 400)) // 15 * 15
    index = pd.Timestamp("2024-01-01", tz=tz) + pd.to_timedelta(minutes, unit="min")
    return pd.DataFrame({"timestamp": index, "value": random.normal(size=len(index))})


@pytest.mark.parametrize(
    ("rule", "closed", "label"),
    list(itertools.product(RULES, ["left", "right"], ["left", "right"])),
)
@pytest.mark.parametrize("offset", [None, "15min", "-1h"])
@pytest.mark.parametrize("fast", [False, True])
def test_resampling_equals_pandas(rule, closed, label, offset, fast):
    frame = frame_of()
    by_pandas = frame.set_index("timestamp").value.resample(
        rule, closed=closed, label=label, offset=offset, origin="epoch"
    )
    expected = by_pandas.sum()[by_pandas.count() > 0]
    how = {"closed": closed, "label": label, "offset": offset, "fill": "none"}
    found = ts.resample(frame, every=rule, aggregation="sum", **how)
    np.testing.assert_array_equal(found["timestamp"], expected.index)
    np.testing.assert_allclose(found["value"], expected, atol=1e-12)
    windows = ts.aggregate_time_series(
        frame, window_size=rule, aggregation="sum", align="epoch", closed=closed, offset=offset,
        fast=fast,
    )  # fmt: skip
    edge = {"left": "window_start", "right": "window_end"}[label]
    np.testing.assert_array_equal(windows[edge], found["timestamp"])
    np.testing.assert_allclose(windows["value"], expected, atol=1e-12)
    assert windows["count"].sum() == len(frame)


@pytest.mark.parametrize("closed", ["left", "right"])
def test_months_equal_pandas(closed):
    days = pd.date_range("2024-01-01", "2024-06-01", freq="12h")
    series = pd.Series(np.arange(len(days), dtype=float), index=days)
    found = ts.resample(series, every="1M", aggregation="sum", closed=closed)
    months = series.resample("MS", closed=closed, label="left")
    expected = months.sum()[months.count() > 0]  # pandas adds an empty month
    np.testing.assert_array_equal(found["timestamp"], expected.index)
    np.testing.assert_array_equal(found["value"], expected)


@pytest.mark.parametrize("closed", ["left", "right"])
@pytest.mark.parametrize("offset", [None, "10m"])
def test_polars_groups_the_same_windows(closed, offset):
    frame = pl.from_pandas(frame_of(3))
    expected = frame.group_by_dynamic(
        "timestamp", every="1h", closed=closed, offset=offset, label="left"
    ).agg(pl.col("value").sum())
    found = ts.resample(
        frame, every="1h", aggregation="sum", closed=closed, offset=offset, fill="none"
    )
    assert found["timestamp"].cast(pl.Int64).to_list() == [
        int(t.timestamp()) * 10**9 for t in expected["timestamp"].dt.replace_time_zone("UTC")
    ]
    np.testing.assert_allclose(found["value"], expected["value"], atol=1e-12)


def test_a_range_is_closed_on_the_same_side():
    points = [(0, 1.0), (60, 2.0), (120, 4.0)]
    how = {"window_size": 60, "aggregation": "sum", "start": 0, "end": 120, "fill": "0"}
    assert ts.aggregate_time_series(points, **how)["value"].tolist() == [1, 2]
    right = ts.aggregate_time_series(points, **how, closed="right")
    assert right["value"].tolist() == [2, 4]
    assert right["window_end"].tolist() == [60, 120]


def test_days_may_start_at_six_over_a_change_of_clocks():
    windows = ts.create_time_windows(
        "2024-03-30T06:00+01:00", "2024-04-01T06:00+02:00", "1d", tz="Europe/Berlin",
        align="calendar", offset="6h",
    )  # fmt: skip
    assert [str(w.start.time()) for w in windows] == ["06:00:00", "06:00:00"]
    assert [(w.end.timestamp() - w.start.timestamp()) / 3600 for w in windows] == [23, 24]
    hours = ts.create_time_windows(0, 7200, "1h", align="epoch", offset="-15m")
    assert [tuple(w) for w in hours] == [(-900, 2700), (2700, 6300), (6300, 9900)]


@pytest.mark.parametrize(
    ("how", "kind", "match"),
    [
        ({"closed": "both"}, ValueError, "closed must be one of 'left', 'right'"),
        ({"label": "middle"}, ValueError, "label must be one of 'left', 'right'"),
        ({"offset": "1mo"}, ValueError, "offset must be of a fixed length"),
        ({"offset": []}, TypeError, "offset must be text"),
        ({"offset": "x"}, ValueError, "offset must be in a known unit"),
    ],
    ids=str,
)
def test_other_sides_are_refused(how, kind, match):
    with pytest.raises(kind, match=match):
        ts.resample([(0, 1.0)], every=60, **how)
