"""Counters and rates: resets, ties, extrapolation."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.timeseries import calculate_rate_of_change, counter_increase, counter_rate

RESET = [(0, 10), (60, 20), (120, 5), (180, 15)]


def test_hand_checked_reset():
    assert counter_increase(RESET) == 25
    assert counter_rate(RESET) == pytest.approx(0.138889, abs=1e-6)
    assert counter_rate([0, 60, 120, 180], [10, 20, 5, 15]) == counter_rate(RESET)


# Worked through by hand from Prometheus' documented rule (promql/functions.go, extrapolatedRate).
@pytest.mark.parametrize(
    ("points", "start", "end", "increase"),
    [
        # The point on the left edge does not belong to the range, (0, 180]: a step of 60 s is added.
        (RESET, 0, 180, 15 * 180 / 120),
        (RESET, -1, 180, 25 * 181 / 180),
        # Counter of 1/s from 15 s to 285 s in [0, 300]: edges within 1.1 steps of 30 s.
        ([(t, 100 + t) for t in range(15, 300, 30)], 0, 300, 300.0),
        # First point far from the edge: half a step is added there.
        ([(t, 100 + t) for t in range(135, 300, 30)], 0, 300, 150 + 15 + 15.0),
        # The counter would have been below zero: cut where it reaches zero, 4 s before.
        ([(20, 4), (40, 24), (60, 44)], 0, 60, 44.0),
        ([(20, 4)], 0, 60, math.nan),
    ],
)
def test_promql_extrapolates_as_prometheus_does(points, start, end, increase):
    found = counter_increase(points, mode="promql", start=start, end=end)
    assert found == pytest.approx(increase, nan_ok=True)
    rate = counter_rate(points, mode="promql", start=start, end=end)
    assert rate == pytest.approx(increase / (end - start), nan_ok=True)


def test_windows_of_promql_stand_alone():
    rows = counter_rate([(t, t) for t in range(0, 120, 15)], window_size=60, mode="promql")
    # (-60, 0], (0, 60], (60, 120]: the last two lack nothing at the left edge, which is not theirs.
    assert rows["window_end"].tolist() == [0, 60, 120]
    assert rows["value"].tolist() == pytest.approx([math.nan, 1.0, 1.0], nan_ok=True)
    assert rows["count"].tolist() == [1, 4, 3]


def test_a_step_counts_in_one_window_of_promql():
    """Scrapes that stand on the edges, as with a range equal to whole intervals (Prometheus 3)."""
    points = [(t, float(t)) for t in range(0, 301, 60)]
    found = counter_increase(points, mode="promql", start=0, end=300, window_size=300)
    assert found["count"].tolist() == [5]
    assert found["value"].tolist() == [300.0]


def test_groups_and_forms():
    frame = pd.DataFrame({"t": [0, 0, 10, 10], "host": ["a", "b", "a", "b"], "n": [1, 5, 2, 1]})
    assert counter_increase(frame, "t", "n", by="host") == {"a": 1.0, "b": 1.0}
    rows = counter_increase(frame, "t", "n", by="host", window_size=5, output="records")
    assert [(r["host"], r["window_start"], r["value"]) for r in rows][1::2] == [
        ("a", 10, 1.0),
        ("b", 10, 1.0),
    ]
    assert math.isnan(counter_rate([]))
    assert math.isnan(counter_rate([(0, 1)]))
    with pytest.raises(ValueError, match="mode"):
        counter_rate(RESET, mode="magic")  # type: ignore[arg-type]


def test_rate_of_change():
    rows = [{"t": 10, "v": 5}, {"t": 0, "v": 1}, {"t": 10, "v": 7}, {"t": 14, "v": None}]
    out = calculate_rate_of_change(rows, "t", "v")
    assert [r["t"] for r in out] == [10, 10]
    assert out[0]["rate"] == 0.4
    assert math.isnan(out[1]["rate"])
    assert calculate_rate_of_change(rows, "t", "v", per="1m")[0]["rate"] == 24.0
    assert calculate_rate_of_change([], "t", "v") == []
    frame = calculate_rate_of_change(pd.DataFrame({"t": [0, 2], "v": [3, 4]}), "t", "v")
    assert frame["rate"].tolist() == [0.5]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 50)), min_size=2, max_size=200))
def test_windows_add_up_to_the_whole(points):
    whole = counter_increase(points)
    windows = counter_increase(points, window_size=7)
    assert np.nansum(windows["value"]) == pytest.approx(whole)
    ordered = sorted(points)
    steps = [b - a if b >= a else b for (_, a), (_, b) in zip(ordered, ordered[1:], strict=False)]  # noqa: RUF007
    assert whole == pytest.approx(sum(steps))
