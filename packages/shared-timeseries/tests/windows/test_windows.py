"""Windows: half open, lazy, right over clock changes and far dates."""

import tracemalloc
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.timeseries import create_time_windows

DAY = timedelta(days=1)


def hours(windows):
    return [(w.end.timestamp() - w.start.timestamp()) / 3600 for w in windows]


def test_windows_are_half_open_and_the_last_is_cut():
    start = datetime(2024, 1, 1)
    windows = create_time_windows(start, start + timedelta(minutes=150), timedelta(hours=1))
    assert windows == [
        (start, start + timedelta(hours=1)),
        (start + timedelta(hours=1), start + timedelta(hours=2)),
        (start + timedelta(hours=2), start + timedelta(minutes=150)),
    ]
    assert windows[-1] == list(windows)[-1]
    with pytest.raises(IndexError):
        windows[3]


def test_an_empty_range_has_no_window_and_a_closed_instant_one():
    now = datetime(2024, 1, 1)
    assert len(create_time_windows(now, now, "1h")) == 0
    assert list(create_time_windows(now, now, "1h")) == []
    assert create_time_windows(now, now, "1h", include_end=True) == [
        (now, now + timedelta(hours=1))
    ]


@pytest.mark.parametrize(
    ("zone", "spring", "autumn"),
    [
        ("Europe/Berlin", date(2024, 3, 31), date(2024, 10, 27)),
        ("Europe/Berlin", date(1980, 4, 6), date(1980, 9, 28)),
        ("America/New_York", date(2024, 3, 10), date(2024, 11, 3)),
        ("America/New_York", date(2006, 4, 2), date(2006, 10, 29)),
        ("Australia/Sydney", date(2023, 10, 1), date(2024, 4, 7)),
        ("America/Sao_Paulo", date(2018, 11, 4), date(2018, 2, 17)),
        ("Asia/Beirut", date(2022, 3, 27), date(2022, 10, 29)),
    ],
)
def test_a_calendar_day_is_as_long_as_its_clocks_make_it(zone, spring, autumn):
    for day, length in ((spring, 23.0), (autumn, 25.0)):
        noon = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) - DAY
        windows = create_time_windows(noon, noon + 3 * DAY, "1d", align="calendar")
        assert sorted(hours(windows)) == sorted([24.0, 24.0, length])
        assert hours(create_time_windows(noon, noon + 3 * DAY, "24h", align="epoch"))[0] == 24.0


def test_days_that_begin_after_a_skipped_midnight_begin_at_midnight_again():
    zone = ZoneInfo("America/Sao_Paulo")  # 2018-11-04 began at 01:00
    windows = create_time_windows(
        datetime(2018, 11, 4, tzinfo=zone), datetime(2018, 11, 7, tzinfo=zone), "1d"
    )
    assert hours(windows) == [23, 24, 24]
    later = datetime(2018, 11, 4, 9, tzinfo=zone)
    assert hours(create_time_windows(later, later + timedelta(days=2), "1d")) == [24, 24]


def test_lord_howe_moves_by_half_an_hour():
    start = datetime(2024, 10, 5, tzinfo=ZoneInfo("Australia/Lord_Howe"))
    assert hours(create_time_windows(start, start + 3 * DAY, "1d")) == [24.0, 23.5, 24.0]


def test_durations_ignore_the_clock_change():
    start = datetime(2024, 3, 31, tzinfo=ZoneInfo("Europe/Berlin"))
    windows = create_time_windows(start, start + DAY, "1h")
    assert len(windows) == 23
    assert [w.start.hour for w in windows[:4]] == [0, 1, 3, 4]


def test_naive_bounds_with_a_zone_are_wall_times():
    windows = create_time_windows(
        datetime(2024, 10, 27), datetime(2024, 10, 28), "1h", tz="Europe/Berlin"
    )
    assert len(windows) == 25
    assert [w.start.hour for w in windows[1:5]] == [1, 2, 2, 3]


def test_months_quarters_years_and_leap_days():
    windows = create_time_windows(datetime(2024, 1, 31), datetime(2024, 6, 1), "1mo")
    assert [w.start.day for w in windows] == [31, 29, 31, 30, 31]
    quarters = create_time_windows(
        datetime(2024, 2, 10), datetime(2024, 8, 1), "1q", align="calendar"
    )
    assert [w.start for w in quarters] == [datetime(2024, m, 1) for m in (1, 4, 7)]
    leap = create_time_windows(datetime(2024, 2, 29), datetime(2028, 3, 1), "1y")
    assert [w.start for w in leap] == [
        datetime(2024, 2, 29), datetime(2025, 2, 28), datetime(2026, 2, 28),
        datetime(2027, 2, 28), datetime(2028, 2, 29),
    ]  # fmt: skip
    weeks = create_time_windows(datetime(2024, 2, 29), datetime(2024, 3, 6), "1w", align="calendar")
    assert [w.start for w in weeks] == [datetime(2024, 2, 26), datetime(2024, 3, 4)]
    century = create_time_windows(datetime(1900, 2, 28), datetime(1900, 3, 2), "1d")
    assert [w.start.day for w in century] == [28, 1]


def test_far_dates_and_nanoseconds():
    far = create_time_windows(
        datetime(9998, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), "1d"
    )
    assert len(far) == 365
    assert far[-1].end == datetime(9999, 1, 1, tzinfo=UTC)
    old = create_time_windows(datetime(1, 1, 2), datetime(1, 1, 4), "12h")
    assert len(old) == 4
    start = pd.Timestamp("2024-01-01T00:00:00.000000001Z")
    windows = create_time_windows(start, start + pd.Timedelta(10, "ns"), "3ns")
    assert [w.start.nanosecond for w in windows] == [1, 4, 7, 10]
    assert create_time_windows(np.datetime64(5, "ns"), np.datetime64(9, "ns"), "2ns")[1] == (
        np.datetime64(7, "ns"), np.datetime64(9, "ns"),
    )  # fmt: skip


def test_the_last_year_of_all_has_windows():
    years = create_time_windows(datetime(1, 1, 1), datetime(9999, 12, 31), "1y")
    assert len(years) == 9999
    assert years[-1] == (datetime(9999, 1, 1), datetime(9999, 12, 31))
    whole = create_time_windows(datetime(9998, 5, 1), datetime(9999, 12, 31), "1y", align="epoch")
    assert whole[-1] == (datetime(9999, 1, 1), datetime.max)


def test_length_indexing_and_slicing_build_nothing():
    tracemalloc.start()
    windows = create_time_windows(0, 9_999_999, 1)
    part = windows[5_000_000:]
    assert (len(windows), len(part), part[-1]) == (9_999_999, 4_999_999, (9_999_998, 9_999_999))
    assert windows[10:20:3][1] == windows[13]
    assert windows[::-1][0] == windows[-1]
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_slices_keep_the_cut_at_the_end():
    windows = create_time_windows(0, 100, 30)
    assert windows[2:] == [(60, 90), (90, 100)]
    assert windows[3:1] == []


@pytest.mark.parametrize(
    "size", [0, -1, "0s", "-5m", timedelta(0), timedelta(seconds=-1), float("nan")]
)
def test_a_size_of_zero_or_less_is_refused(size):
    with pytest.raises(ValueError, match="window_size"):
        create_time_windows(0, 10, size)


@pytest.mark.parametrize("size", ["5 parsecs", "", "1.5d", "h5"])
def test_text_that_is_not_a_size_is_refused(size):
    with pytest.raises(ValueError, match="window_size"):
        create_time_windows(0, 10, size)


def test_too_many_windows_are_refused():
    with pytest.raises(ValueError, match="max_windows"):
        create_time_windows(0, 10**12, "1ns")
    with pytest.raises(ValueError, match="max_windows=5"):
        create_time_windows(0, 6, 1, max_windows=5)


def test_naive_and_aware_are_never_mixed():
    with pytest.raises(TypeError, match="mixed"):
        create_time_windows(datetime(2024, 1, 1), datetime(2024, 1, 2, tzinfo=UTC), "1h")


@pytest.mark.parametrize(
    ("end", "how", "match"),
    [
        (-1, {}, "end must be at or after start"),
        (10, {"tz": "Mars/Olympus"}, "tz must be the name of a time zone"),
        (10, {"align": "middle"}, "align must be one of 'start', 'epoch', 'calendar'"),
    ],
)
def test_a_wrong_value_is_named(end, how, match):
    with pytest.raises(ValueError, match=match):
        create_time_windows(0, end, 1, **how)


@settings(max_examples=60)
@given(
    start=st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)),
    length=st.timedeltas(timedelta(0), timedelta(days=400)),
    size=st.sampled_from(["7h", "1d", "2d", "1w", "1mo", "1q"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Africa/Casablanca"]),
    align=st.sampled_from(["start", "epoch", "calendar"]),
)
def test_windows_join_and_cover_the_range(start, length, size, zone, align):
    begin = start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = begin + length
    windows = list(create_time_windows(begin, end, size, tz=zone, align=align))
    assert all(a.end.timestamp() == b.start.timestamp() for a, b in pairwise(windows))
    assert all(w.start.timestamp() < w.end.timestamp() for w in windows)
    if windows:
        assert windows[0].start <= begin
        assert windows[-1].end >= end
        assert windows[-1].start < end
    else:
        assert not length
