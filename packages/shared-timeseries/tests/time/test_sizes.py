"""Sizes of windows."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from shared.timeseries._time.sizes import Step, read_size

HOUR = 3600 * 10**9


@pytest.mark.parametrize(
    ("size", "step"),
    [
        ("1h", Step(ns=HOUR)),
        (" 0.5 h ", Step(ns=HOUR // 2)),
        ("h", Step(ns=HOUR)),
        (dt.timedelta(hours=1), Step(ns=HOUR)),
        (np.timedelta64(1, "h"), Step(ns=HOUR)),
        (3600, Step(ns=HOUR)),
        (0.5, Step(ns=5 * 10**8)),
        ("2w", Step(days=14)),
        ("1D", Step(days=1)),
        ("1q", Step(months=3)),
        ("1M", Step(months=1)),
        ("1m", Step(ns=HOUR // 60)),
        ("2MS", Step(months=2)),
        ("ME", Step(months=1)),
        ("2ms", Step(ns=2 * 10**6)),
        ("QS", Step(months=3)),
        ("YE", Step(months=12)),
        ("1h30m", Step(ns=HOUR * 3 // 2)),
        ("1h 30min", Step(ns=HOUR * 3 // 2)),
        ("1 hour 30 minutes", Step(ns=HOUR * 3 // 2)),
        ("1m30.5s", Step(ns=90_500_000_000)),
        ("1y6mo", Step(months=18)),
        ("1w2d", Step(days=9)),
        ("+5m", Step(ns=HOUR // 12)),
        (pd.Timedelta("1h"), Step(ns=HOUR)),
        (pd.Timedelta(1, "ns"), Step(ns=1)),
        (pd.Timedelta("2 days 1ns"), Step(ns=48 * HOUR + 1)),
        (pa.scalar(dt.timedelta(hours=1)), Step(ns=HOUR)),
        (pd.offsets.Hour(2), Step(ns=2 * HOUR)),
        (pd.offsets.Minute(5), Step(ns=HOUR // 12)),
        (pd.offsets.Milli(7), Step(ns=7 * 10**6)),
        (pd.offsets.Day(1), Step(days=1)),
        (pd.offsets.Week(), Step(days=7)),
        (pd.offsets.Week(weekday=6), Step(days=7)),
        (pd.offsets.MonthBegin(), Step(months=1)),
        (pd.offsets.MonthEnd(2), Step(months=2)),
        (pd.offsets.QuarterBegin(startingMonth=1), Step(months=3)),
        (pd.offsets.YearEnd(), Step(months=12)),
    ],
    ids=repr,
)
def test_a_size_is_a_duration_or_a_calendar_step(size, step):
    assert read_size(size) == step


@pytest.mark.parametrize(
    ("size", "kind", "match"),
    [
        ("5 parsecs", ValueError, "size must be in a known unit"),
        ("?", ValueError, "size must be a size such as '5m'"),
        ("0.1ns", ValueError, "size must be at least a nanosecond"),
        ("", ValueError, "size must be a size such as '5m'"),
        ("1h30", ValueError, "size must be a size such as '5m' or '1h30m'"),
        ("1h m", ValueError, "size must be a size such as"),
        ("-1h", ValueError, "size must be above zero"),
        ("0h", ValueError, "size must be above zero"),
        ("1Ms", ValueError, "size must be in a known unit"),
        ("1Min", ValueError, "size must be in a known unit"),
        ("1d12h", ValueError, "size must be durations .* not a mixture"),
        ("1mo1d", ValueError, "not a mixture"),
        (pd.offsets.BusinessDay(), ValueError, "size must be in a known unit"),
        (pd.offsets.Week(weekday=2), ValueError, "size must be weeks that start on Monday"),
        (pd.offsets.QuarterBegin(startingMonth=2), ValueError, "size must be quarters"),
        (pd.offsets.MonthEnd(-1), ValueError, "size must be above zero"),
        (pd.NaT, TypeError, "size must be text"),
        ("1.5d", ValueError, "size must be a whole number of calendar steps"),
        (-1, ValueError, "size must be above zero, not -1"),
        (float("inf"), ValueError, "size must be finite"),
        (np.timedelta64(1, "M"), ValueError, "size must be of a fixed length"),
        ([], TypeError, "size must be text such as '5m', a timedelta or a number"),
        (True, TypeError, "size must be text"),
    ],
    ids=repr,
)
def test_what_is_not_a_size_is_refused(size, kind, match):
    with pytest.raises(kind, match=match):
        read_size(size, "size")
