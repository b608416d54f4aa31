"""Sizes of windows."""

import datetime as dt

import numpy as np
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
