"""Live series: one-second windows, rates of counters, and anomalies as they come."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from shared.observability import counter, trace_span
from shared.timeseries import (
    AnomalyDetector,
    TimeSeries,
    aggregate_time_series,
    counter_rate,
    detect_anomalies,
)

from .sources.machine import COUNTERS

if TYPE_CHECKING:
    from .alerts import Alerts
    from .points import Point
    from .result import Result

SECOND = 1_000_000_000
REMEMBERED = 600  # windows a series, for shapes and for the plot
BASELINE = 30  # windows that a window is compared with
FAR = 8.0  # robust standard deviations
WINDOWS = counter("watcher_windows_total", "Windows aggregated")


class Watched:
    """One live series: the points of its open window, its closed windows, its detector."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_counter = name in COUNTERS
        self.open: list[Point] = []
        self.times: deque[int] = deque(maxlen=REMEMBERED)
        self.values: deque[float] = deque(maxlen=REMEMBERED)
        self.marks: deque[tuple[int, float, str]] = deque(maxlen=REMEMBERED)
        self.detector = AnomalyDetector()
        self.last: Point | None = None  # a counter's rate needs the point before the window


class Analyst:
    """Looks at kept points in the keeper's thread; the plot reads it after the end."""

    def __init__(self, alerts: Alerts, result: Result, cooldown: float) -> None:
        self._alerts = alerts
        self._result = result
        self._cooldown = cooldown
        self.watched: dict[str, Watched] = {}

    def observe(self, points: list[Point]) -> None:
        """Take points in order of time within their series; price bars and files have their own way."""
        for point in points:
            if point.series.startswith(("machine.", "cloud.")):
                self._take(point)

    def finish(self) -> None:
        """Close the windows that are still open."""
        for series in self.watched.values():
            self._close(series)

    def _take(self, point: Point) -> None:
        series = self.watched.get(point.series)
        if series is None:  # not setdefault: it would make a detector for every point
            series = self.watched[point.series] = Watched(point.series)
        if series.open and point.time // SECOND != series.open[0].time // SECOND:
            self._close(series)
        series.open.append(point)
        if not series.is_counter:
            self._judge(series, point.time, point.value)

    @trace_span("close_window")
    def _close(self, series: Watched) -> None:
        if not series.open:
            return
        before = [series.last] if series.is_counter and series.last else []
        points = TimeSeries(
            *zip(*((p.time, p.value) for p in [*before, *series.open]), strict=True)
        )
        end = series.open[-1]
        if series.is_counter:
            value = float(counter_rate(points))
        else:
            (row,) = aggregate_time_series(
                points, window_size="1s", align="epoch", output="records"
            )
            value = float(row["value"])
        series.last, series.open = end, []
        if not np.isfinite(value):  # a counter's first point has no rate
            return
        self._result.windows += 1
        WINDOWS.inc()
        series.times.append(end.time // SECOND * SECOND)
        series.values.append(value)
        if series.is_counter:
            self._judge(series, end.time, value)
        # The stream's detector learns a series' habits first; a plain rule on the windows is
        # awake after a few seconds.
        recent = list(series.values)[-BASELINE - 1 :]
        if detect_anomalies(recent, FAR, method="rolling_mad", window=BASELINE, min_periods=8)[
            -1:
        ] == [len(recent) - 1]:
            self._tell(series, series.times[-1], value, 1.0)

    def _judge(self, series: Watched, time: int, value: float) -> None:
        found = series.detector.update(time, value)
        if found.is_anomaly:
            self._tell(series, time, value, found.score)

    def _tell(self, series: Watched, time: int, value: float, score: float) -> None:
        series.marks.append((time, value, "anomaly"))
        window = [*list(series.values)[-63:], value]
        self._alerts.report(series.name, time, value, score, window, self._cooldown)
