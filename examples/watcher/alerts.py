"""From anomaly to incident: repeats held back, kept, and linked to earlier ones like it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from shared.db import DatabaseError
from shared.observability import counter, get_logger, trace_span
from shared.resilience import Retry

from .similar import shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .latest import Latest
    from .ledger import Ledger
    from .result import Result
    from .similar import Similar

log = get_logger("watcher.alerts")
INCIDENTS = counter("watcher_incidents_total", "Incidents opened", ["series"])


class Alerts:
    """Takes anomalies from every thread; a store that is away for a moment is tried again."""

    def __init__(self, ledger: Ledger, latest: Latest, similar: Similar, result: Result) -> None:
        self._ledger = ledger
        self._latest = latest
        self._similar = similar
        self._result = result
        self._lock = threading.Lock()
        self._retry = Retry(max_attempts=8, delay=0.1, max_delay=1.0, exceptions=DatabaseError)

    @trace_span("open_incident")
    def report(
        self,
        series: str,
        time: int,
        value: float,
        score: float,
        window: Sequence[float],
        cooldown: float,
    ) -> None:
        """Take one anomaly: its place, its score and the values that led to it.

        Args:
            series: Name of the series.
            time: Nanoseconds since the epoch.
            value: The value found anomalous.
            score: How unusual it is.
            window: The series' values up to and with this one.
            cooldown: Seconds of the series' own time in which it is told once.
        """
        with self._lock:
            self._result.anomalies += 1
            bucket = time // int(cooldown * 1e9)
            if not self._retry.call(self._latest.first, series, bucket, max(60.0, cooldown)):
                self._result.duplicates += 1
                return
            vector = shape(window)
            number = self._retry.call(self._ledger.open, series, time, value, score, vector)
            if number is None:  # known from an earlier run on the same data
                self._result.duplicates += 1
                return
            alike = self._retry.call(self._similar.find, vector)
            self._retry.call(self._similar.keep, [(number, series, vector)])
            self._retry.call(self._ledger.link, number, alike)
            self._result.incidents += 1
            self._result.similar += len(alike)
        INCIDENTS.labels(series).inc()
        log.warning(
            "incident",
            series=series,
            incident=number,
            value=value,
            score=round(score, 3),
            similar=len(alike),
        )

    def reconcile(self) -> None:
        """Give Qdrant the incidents that PostgreSQL has and it has not."""
        incidents = self._ledger.incidents()
        if self._similar.count() != len(incidents):
            self._similar.keep(incidents)
