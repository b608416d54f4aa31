"""Windows, aggregation, rates, anomalies and downsampling of time series."""

from typing import TYPE_CHECKING

from ._aggregate import aggregate_time_series
from ._anomalies import Anomalies, detect_anomalies
from ._counters import calculate_rate_of_change, counter_increase, counter_rate
from ._detector import Anomaly, AnomalyDetector
from ._downsample import downsample
from ._ewma import ewma
from ._percentile import calculate_percentile
from ._resample import fill_gaps, resample
from ._rolling import rolling
from ._series import TimeSeries
from ._windows import TimeWindow, TimeWindows, create_time_windows

if TYPE_CHECKING:
    from ._clickhouse import ClickHouseSeries
    from ._plot import plot
else:

    def __getattr__(name: str) -> object:
        """What not every service needs is loaded when it is first asked for."""
        if name == "ClickHouseSeries":
            from . import _clickhouse as home
        elif name == "plot":
            from . import _plot as home
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(home, name)
        return found


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
