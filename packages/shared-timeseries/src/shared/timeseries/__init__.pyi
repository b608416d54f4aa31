from ._anomaly.anomalies import Anomalies, detect_anomalies
from ._anomaly.detector import Anomaly, AnomalyDetector
from ._clickhouse.series import ClickHouseSeries
from ._data.series import TimeSeries
from ._plot import plot
from ._reduce.aggregate import aggregate_time_series
from ._reduce.counters import calculate_rate_of_change, counter_increase, counter_rate
from ._reduce.downsample import downsample
from ._reduce.ewma import ewma
from ._reduce.percentile import calculate_percentile
from ._reduce.resample import fill_gaps, resample
from ._reduce.rolling import rolling
from ._windows.windows import TimeWindow, TimeWindows, create_time_windows

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
