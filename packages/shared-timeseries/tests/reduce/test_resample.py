"""Series on a grid, and gaps that are filled."""

import pandas as pd
import pytest

from shared.timeseries import TimeSeries, fill_gaps, resample


def test_resample_and_fill_gaps_in_every_form():
    rows = [{"t": 0, "v": 1.0}, {"t": 30, "v": 3.0}, {"t": 150, "v": 8.0}]
    assert resample(rows, "t", "v", "1m") == [
        {"t": 0, "v": 2.0}, {"t": 60, "v": None}, {"t": 120, "v": 8.0},
    ]  # fmt: skip
    frame = resample(pd.DataFrame(rows), "t", "v", 60, fill="previous")
    assert frame["v"].tolist() == [2.0, 2.0, 8.0]
    series = TimeSeries.of(rows, "t", "v")
    assert resample(series, every="1m", fill="0").values.tolist() == [2.0, 0.0, 8.0]  # noqa: PD011
    naive = [{"t": pd.Timestamp("2024-01-01 00:00:10"), "v": 1.0, "h": "a"}]
    assert resample(naive, "t", "v", "1m", by="h") == [
        {"h": "a", "t": pd.Timestamp("2024-01-01"), "v": 1.0}
    ]
    filled = fill_gaps(rows, "t", "v", 50, method="previous")
    assert [(r["t"], r["v"]) for r in filled] == [
        (0, 1.0),
        (30, 3.0),
        (80, 3.0),
        (130, 3.0),
        (150, 8.0),
    ]
    assert len(fill_gaps(rows, "t", "v", 50, max_gap=60)) == 3
    assert fill_gaps(rows, "t", "v")[2] == {"t": 105, "v": None}
    with pytest.raises(ValueError, match="max_windows"):
        fill_gaps(rows, "t", "v", "1ns")
    with pytest.raises(ValueError, match="every"):
        fill_gaps(rows[:1], "t", "v")
    days = [{"t": "2024-03-30T00:00+01:00", "v": 1.0}, {"t": "2024-04-02T00:00+02:00", "v": 4.0}]
    steps = fill_gaps(days, "t", "v", "1d", tz="Europe/Berlin", method="previous")
    assert [r["t"].isoformat() for r in steps[1:3]] == [
        "2024-03-31T00:00:00+01:00",
        "2024-04-01T00:00:00+02:00",
    ]
