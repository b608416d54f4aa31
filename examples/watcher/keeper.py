"""Keeps every point in every store, and only then calls it acknowledged."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from shared.db import DatabaseError
from shared.observability import counter, get_logger, trace_span
from shared.resilience import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from .archive import Archive
    from .latest import Latest
    from .ledger import Ledger
    from .points import Intake, Point

log = get_logger("watcher.keeper")
KEPT = counter("watcher_points_acknowledged_total", "Points that every store has confirmed")


class Keeper:
    """One thread that empties the intake into ClickHouse, PostgreSQL and Redis, in this order.

    The account in PostgreSQL and Redis holds this run's totals, not differences: writing it
    again after a lost reply changes nothing.
    """

    def __init__(
        self,
        intake: Intake,
        archive: Archive,
        ledger: Ledger,
        latest: Latest,
        *,
        beat: Callable[[], None],
        then: Callable[[list[Point]], None],
    ) -> None:
        self._intake = intake
        self._archive = archive
        self._ledger = ledger
        self._latest = latest
        self._beat = beat
        self._then = then
        self._totals: dict[str, int] = {}
        self._draining = threading.Event()
        self._retry = Retry(max_attempts=40, delay=0.1, max_delay=1.0, exceptions=DatabaseError)
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self.acknowledged = 0
        self.error: Exception | None = None

    def start(self) -> None:
        """Begin to keep points."""
        self._thread.start()

    def drain(self, timeout: float) -> bool:
        """Keep what is still in the intake; return whether all was kept in time."""
        self._draining.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive() and self.error is None

    def _run(self) -> None:
        try:
            while True:
                self._beat()
                if points := self._intake.take(timeout=0.2):
                    self._keep(points)
                elif self._draining.is_set():
                    return
        except Exception as error:
            # The thread's end must be seen: by the probe and by the exit code.
            self.error = error
            log.exception("keeper_failed")

    @trace_span("keep_points")
    def _keep(self, points: list[Point]) -> None:
        account: dict[str, Point] = {}
        for point in points:
            self._totals[point.series] = self._totals.get(point.series, 0) + 1
            account[point.series] = point
        rows = [(name, self._totals[name], p.time, p.value) for name, p in account.items()]
        self._retry.call(self._archive.keep, points)
        self._retry.call(self._ledger.keep, rows)
        self._retry.call(self._latest.keep, rows)
        self.acknowledged += len(points)
        KEPT.inc(len(points))
        log.debug("points_kept", points=len(points), acknowledged=self.acknowledged)
        self._then(points)
