"""Windows, aggregation, rates, anomalies and downsampling of time series."""

from ._aggregate import aggregate_time_series
from ._anomalies import Anomalies, detect_anomalies
from ._clickhouse import ClickHouseSeries
from ._counters import calculate_rate_of_change, counter_increase, counter_rate
from ._detector import Anomaly, AnomalyDetector
from ._downsample import downsample
from ._percentile import calculate_percentile
from ._plot import plot
from ._resample import fill_gaps, resample
from ._rolling import ewma, rolling
from ._series import TimeSeries
from ._windows import TimeWindow, TimeWindows, create_time_windows

__all__ = [
    "Anomalies",
    "Anomaly",
    "AnomalyDetector",
    "ClickHouseSeries",
    "TimeSeries",
    "TimeWindow",
    "TimeWindows",
    "aggregate_time_series",
    "calculate_percentile",
    "calculate_rate_of_change",
    "counter_increase",
    "counter_rate",
    "create_time_windows",
    "detect_anomalies",
    "downsample",
    "ewma",
    "fill_gaps",
    "plot",
    "resample",
    "rolling",
]
