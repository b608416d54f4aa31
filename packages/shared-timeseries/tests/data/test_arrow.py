"""Arrow's tables, arrays and scalars, and pandas columns that stand on them."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from shared import timeseries

ts: Any = timeseries
NAIVE = [dt.datetime(2024, 1, 1, 0, i) for i in range(6)]
AWARE = [t.replace(tzinfo=dt.UTC) for t in NAIVE]
VALUES = [1.0, 2.0, None, 4.0, 5.0, 6.0]
KEYS = ["a", "b", None, "a", "b", None]


def table(times: Any = NAIVE, kind: Any = None) -> pa.Table:
    return pa.table({"timestamp": pa.array(times, kind), "value": VALUES, "host": KEYS})


FORMS = {
    "a table": table(),
    "a batch": table().to_batches()[0],
    "several chunks": pa.concat_tables([table()[:2], table()[2:]]),
    "arrays": (pa.array(NAIVE), pa.array(VALUES)),
    "chunked arrays": (pa.chunked_array([NAIVE]), pa.chunked_array([VALUES])),
    "seconds": table(kind=pa.timestamp("s")),
    "nanoseconds": table(kind=pa.timestamp("ns")),
    "pandas": pd.DataFrame(
        {
            "timestamp": pd.Series(NAIVE, dtype=pd.ArrowDtype(pa.timestamp("us"))),
            "value": pd.Series(VALUES, dtype=pd.ArrowDtype(pa.float64())),
        }
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form):
    found = ts.aggregate_time_series(FORMS[form], window_size="2m", output="arrays")
    expected = ts.aggregate_time_series((NAIVE, VALUES), window_size="2m", output="arrays")
    assert {k: v.tolist() for k, v in found.items()} == {k: v.tolist() for k, v in expected.items()}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "+05:30"])
def test_zones_are_kept(zone):
    made = table(AWARE, pa.timestamp("us", zone))
    found = ts.aggregate_time_series(made, window_size="1h", output="records")[0]
    assert found["window_start"] == AWARE[0]
    assert found["window_start"].utcoffset() == made["timestamp"][0].as_py().utcoffset()
    with pytest.raises(TypeError, match="naive or aware"):
        ts.aggregate_time_series(made, window_size="1h", start=NAIVE[0])


def test_missing_times_values_and_keys():
    made = table([*NAIVE[:5], None])
    found = ts.aggregate_time_series(made, window_size="1h", by="host", output="records")
    assert [(row["host"], row["value"]) for row in found] == [("a", 2.5), ("b", 3.5)]
    assert found.dropped == 1
    with pytest.raises(KeyError, match="no column 'rack' in the table"):
        ts.aggregate_time_series(made, window_size="1h", by="rack")


def test_numbers_dates_and_scalars():
    assert ts.detect_anomalies(pa.array([10, 12, 11, 10, 50, 11, None])) == [4]
    assert ts.calculate_percentile(pa.chunked_array([[1, 2, None]]), 50) == 1.5
    assert ts.rolling(pa.array([1, 2, 3]), 2, "sum").tolist()[1:] == [3, 5]
    days = pa.array([dt.date(2024, 1, d) for d in (1, 2, 4)])
    assert len(ts.fill_gaps((days, pa.array([1, 2, 3])), every="1d")["value"]) == 4
    windows = ts.create_time_windows(pa.scalar(NAIVE[0]), pa.scalar(NAIVE[4]), "2m")
    assert windows[1] == (NAIVE[2], NAIVE[4])
    assert len(ts.TimeSeries(pa.array(NAIVE), pa.array(VALUES))) == 6


@pytest.mark.parametrize(
    "values",
    [pa.array(["1"]), pa.array(NAIVE), pa.array([dt.timedelta(1)]), pa.array([[1.0]])],
    ids=lambda v: str(v.type),
)
def test_what_is_no_number_is_refused(values):
    with pytest.raises((TypeError, ValueError), match="values"):
        ts.detect_anomalies(values)
    assert np.asarray(values).size
