"""The public API as a type-checked file that is never run."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_type

import numpy as np
from matplotlib.figure import Figure

from shared.timeseries import (
    Anomalies,
    Anomaly,
    AnomalyDetector,
    ClickHouseSeries,
    TimeSeries,
    TimeWindow,
    TimeWindows,
    aggregate_time_series,
    calculate_percentile,
    calculate_rate_of_change,
    counter_increase,
    counter_rate,
    create_time_windows,
    detect_anomalies,
    downsample,
    ewma,
    fill_gaps,
    plot,
    resample,
    rolling,
)

Floats = np.ndarray[Any, np.dtype[np.float64]]
now = datetime(2024, 1, 1)
rows: list[dict[str, Any]] = [{"at": now, "ms": 1.0}]

windows = create_time_windows(now, now + timedelta(1), "1h", tz="UTC", align="epoch")
assert_type(windows, TimeWindows)
assert_type(windows[0], TimeWindow)
assert_type(windows[1:], TimeWindows)
pairs: Sequence[tuple[Any, Any]] = windows

aggregate_time_series(rows, "at", "ms", timedelta(hours=1), ["avg", "p95"], by="host", fill="0")
aggregate_time_series(([0, 1], [2, 3]), window_size=60, output="pandas", include_end=True)
calculate_rate_of_change(rows, "at", "ms", per="1m")
counter_rate([0, 60], [1, 2])
counter_increase(rows, "at", "ms", mode="promql", window_size="5m")
resample(rows, "at", "ms", "1m", fill="linear", closed="right", label="right", offset="-15s")
fill_gaps(rows, "at", "ms", "1m", method="previous")

assert_type(detect_anomalies([1, 2]), list[int])
assert_type(detect_anomalies([1, 2], 3.0, "mad", details=True), Anomalies)
detector = AnomalyDetector(threshold=0.6, warm_up=50, quiet=0, season=None)
assert_type(detector.update(now, 1.0), Anomaly)
assert_type(detector.update(1.5, None).is_anomaly, bool)

assert_type(calculate_percentile([1, 2], 95), float)
assert_type(calculate_percentile([1, 2], [50, 95]), Floats)
assert_type(rolling([1, 2], 2, "median", min_periods=1), Floats)
assert_type(rolling([1, 2], timedelta(minutes=5), "p95", times=[0, 60]), Floats)
assert_type(ewma([1, 2], span=3), Floats)

series = TimeSeries([now], [1.0], tz=None)
assert_type(TimeSeries.of(rows, "at", "ms")[1:], TimeSeries)
assert_type(series.values, Floats)
assert_type(downsample(series, n=10, output="series"), TimeSeries)
assert_type(downsample([0, 1], [2, 3], 10, method="mean"), tuple[Floats, Floats])
assert_type(downsample(None, [2, 3], 10), np.ndarray[Any, np.dtype[np.int64]])
assert_type(plot(series, anomalies=[0], windows=windows, title="CPU"), Figure)


def remote(client: Any) -> str:
    """The pushed-down form."""
    table = ClickHouseSeries(
        client, "cpu", time="at", value="load", by=["host"], tz="Europe/Berlin"
    )
    table.aggregate_time_series("1d", ["avg"], fill="previous", output="polars")
    assert_type(table.downsample(100, "minmaxlttb"), TimeSeries)
    assert_type(table.calculate_percentile(95), float | dict[Any, float])
    return table.sql("counter_rate", window_size="5m")
