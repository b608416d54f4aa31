"""Finished series, price bars and files: windows, anomalies and signals over all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shared.timeseries import AnomalyDetector, TimeSeries, aggregate_time_series, detect_anomalies

from . import signals
from .plot import Panel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .alerts import Alerts
    from .ledger import Ledger
    from .result import Result
    from .sources.prices import Bars

MONTH = 30 * 86_400.0
FAR = 5.0  # robust standard deviations: a day's return that a desk would talk about


def prices(bars: Bars, alerts: Alerts, ledger: Ledger, result: Result) -> Panel:
    """Window the closes by month, judge the daily returns, find the signals; return the picture."""
    months = aggregate_time_series(
        TimeSeries(bars.time, bars.close),
        window_size="1mo",
        aggregation=["avg", "min", "max"],
        align="calendar",
        tz="UTC",
        output="records",
    )
    result.windows += len(months)
    found, bands = signals.find(bars)
    ledger.signal(found)
    result.signals += len(found)
    panel = Panel(
        f"{bars.symbol}: daily close, Bollinger bands, RSI/MACD/Bollinger signals, anomalous returns",
        bars.time,
        bars.close,
        marks=[(s.time, s.price, s.side) for s in found if s.kind == "rsi"],
        lines={"upper band": bands.upper, "lower band": bands.lower},
        unit="USD",
    )
    returns = np.r_[np.nan, np.diff(np.log(bars.close))]
    details = detect_anomalies(returns, FAR, method="rolling_mad", window=60, details=True)
    for at in details.indices:
        series = f"price.{bars.symbol}.close"
        window = bars.close[max(0, at - 63) : at + 1]
        panel.marks.append((int(bars.time[at]), float(bars.close[at]), "anomaly"))
        alerts.report(
            series,
            int(bars.time[at]),
            float(returns[at]),
            float(abs(details.scores[at])),
            list(window),
            MONTH,
        )
    return panel


def windows(
    series: str,
    time: NDArray[np.int64],
    value: NDArray[np.float64],
    width: float,
    alerts: Alerts,
    result: Result,
) -> Panel:
    """Judge a file's windows (start in ns, average) as a stream, oldest first; return the picture."""
    result.windows += len(time)
    panel = Panel(f"{series}: averages of {width:g} s", time, value)
    detector = AnomalyDetector()
    for at, (stamp, average) in enumerate(zip(time.tolist(), value.tolist(), strict=True)):
        found = detector.update(stamp, average)
        if found.is_anomaly:
            panel.marks.append((stamp, average, "anomaly"))
            shape = value[max(0, at - 63) : at + 1]
            alerts.report(series, stamp, average, found.score, list(shape), 10 * width)
    return panel
