"""How times are read and given back, one form at a time."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

from shared.timeseries._time.timeform import NAT, read_time, read_times, zone

BERLIN = ZoneInfo("Europe/Berlin")
SECOND = 10**9
NAIVE = dt.datetime(2024, 1, 1, 0, 0, 1)


@pytest.mark.parametrize(
    "value",
    [
        NAIVE,
        NAIVE.replace(tzinfo=dt.UTC),
        NAIVE.replace(tzinfo=BERLIN),
        np.datetime64("2024-01-01T00:00:01", "ns"),
        pd.Timestamp(2024, 1, 1, 0, 0, 1, 7, nanosecond=5),
        pd.Timestamp("2024-01-01", tz="Europe/Berlin"),
        1_704_067_201,
        1_704_067_201.5,
    ],
    ids=repr,
)
def test_a_time_comes_back_as_it_went_in(value):
    ns, form = read_time(value, "t")
    back = form.out(ns)
    assert back == value
    assert type(back) is type(value)


def test_dates_and_texts_are_datetimes():
    assert read_time(dt.date(1970, 1, 2), "t")[0] == 86_400 * SECOND
    ns, form = read_time("1970-01-01T01:00:00+01:00", "t")
    assert (ns, form.aware) == (0, True)


@pytest.mark.parametrize(
    ("value", "kind", "match"),
    [
        (np.datetime64("NaT"), ValueError, "t must be a time"),
        (pd.NaT, ValueError, "t must be a time"),
        (float("nan"), ValueError, "t must be a finite time"),
        ("soon", ValueError, "t must be an ISO 8601 time, not 'soon'"),
        ([], TypeError, "t must be a datetime, datetime64, ISO 8601 text or number"),
        (True, TypeError, "t must be a datetime"),
    ],
    ids=repr,
)
def test_what_is_not_a_time_is_refused(value, kind, match):
    with pytest.raises(kind, match=match):
        read_time(value, "t")


COLUMNS = {
    "datetimes": [NAIVE, None],
    "texts": ["2024-01-01T00:00:01", None],
    "datetime64": np.array(["2024-01-01T00:00:01", "NaT"], "datetime64[s]"),
    "pandas": pd.Series([NAIVE, pd.NaT]),
    "pandas index in a zone": pd.DatetimeIndex([NAIVE, pd.NaT], tz="UTC"),
    "polars": pl.Series([NAIVE, None]),
    "polars in a zone": pl.Series([NAIVE, None]).dt.replace_time_zone("UTC"),
    "numbers": [1_704_067_201, None],
    "floats": np.array([1_704_067_201.0, np.nan]),
    "polars numbers": pl.Series([1_704_067_201, None]),
}


@pytest.mark.parametrize("form", COLUMNS)
def test_a_column_is_nanoseconds_with_holes(form):
    ns, _ = read_times(COLUMNS[form], "t")
    assert ns.tolist() == [1_704_067_201 * SECOND, NAT]


def test_a_unit_finer_than_nanoseconds_is_rounded_down():
    assert read_times(np.array([1999], "datetime64[ps]"), "t")[0].tolist() == [1]


def test_whole_months_and_days_have_their_nanoseconds():
    months, _ = read_times(np.array(["1970-02"], "datetime64[M]"), "t")
    days, _ = read_times(pl.Series([dt.date(1970, 2, 1)]), "t")
    assert months.tolist() == days.tolist() == [31 * 86_400 * SECOND]


@pytest.mark.parametrize(
    ("column", "kind", "match"),
    [
        ([NAIVE, NAIVE.replace(tzinfo=dt.UTC)], TypeError, "all naive or all aware"),
        ([NAIVE, 5], TypeError, "mixed"),
        (np.zeros((2, 2)), ValueError, "one dimension"),
        ([dt.datetime(2300, 1, 1)], ValueError, r"t\[0\] must be within the years 1677 to 2262"),
        (np.array([1e300]), ValueError, "1677 to 2262"),
        (["2300-01-01"], ValueError, r"t\[0\] must be within"),
    ],
)
def test_a_column_that_is_not_one_of_times_is_refused(column, kind, match):
    with pytest.raises(kind, match=match):
        read_times(column, "t")


def test_several_zones_are_shown_in_utc():
    zones = [NAIVE.replace(tzinfo=z) for z in (BERLIN, ZoneInfo("Asia/Tokyo"))]
    assert read_times(zones, "t")[1].tz is dt.UTC
    assert read_times(zones[:1], "t")[1].tz is BERLIN


def test_a_zone_is_a_name_or_an_object():
    assert zone("utc") is dt.UTC
    assert zone(BERLIN) is BERLIN
    with pytest.raises(TypeError, match="tz must be a zone name or tzinfo, not 5"):
        zone(5)  # type: ignore[arg-type]
