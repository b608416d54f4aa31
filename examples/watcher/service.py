"""The service: everything wired together, started, watched, drained, and checked at its end."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from typing import TYPE_CHECKING

import numpy as np

from shared.db import DatabaseConnections
from shared.health import Health, HealthServer, Heartbeat
from shared.observability import get_logger

from . import history
from .alerts import Alerts
from .analysis import Analyst
from .archive import Archive
from .keeper import Keeper
from .latest import Latest
from .ledger import Ledger
from .plot import Panel, draw
from .points import Intake, Point
from .similar import Similar
from .sources import machine, prices
from .sources.cloud import CloudClient
from .sources.mock_cloud import MockCloud

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from shared.lifecycle import GracefulShutdown

    from .options import Options
    from .result import Result
    from .settings import WatcherSettings

log = get_logger("watcher")


class Service:
    """One run. `start`, `watch`, `finish`; what it opened is closed by the stack it was given."""

    def __init__(
        self,
        options: Options,
        settings: WatcherSettings,
        result: Result,
        stack: ExitStack,
    ) -> None:
        self.options = options
        self.result = result
        self.settings = settings
        run = uuid.uuid4().hex
        self.run = run
        self.db = stack.enter_context(DatabaseConnections.from_settings(settings))
        self.archive = Archive(self.db, run)
        self.ledger = Ledger(self.db, run)
        self.latest = Latest(self.db, run)
        self.similar = Similar(self.db)
        self.alerts = Alerts(self.ledger, self.latest, self.similar, result)
        self.analyst = Analyst(self.alerts, result, settings.watcher.cooldown)
        self.intake = Intake()
        self.heartbeat = Heartbeat(max_age=60.0)
        self.keeper = Keeper(
            self.intake,
            self.archive,
            self.ledger,
            self.latest,
            beat=self.heartbeat.beat,
            then=self.analyst.observe,
        )
        self.cloud = stack.enter_context(MockCloud())
        self.panels: list[Panel] = []
        self.stopping = threading.Event()
        self.failures: list[str] = []
        self._stack = stack
        self._threads: list[threading.Thread] = []
        self._finite: list[threading.Thread] = []

    def start(self, shutdown: GracefulShutdown) -> None:
        """Open the stores, check what earlier runs left, serve the pages, start the sources."""
        self.db.initialize_all_databases(required={"postgres", "redis", "clickhouse", "qdrant"})
        self.ledger.create()
        self.archive.create()
        self.similar.create()
        self._check_earlier_runs()
        self._serve(shutdown)
        self._on_shutdown(shutdown)
        if shutdown.requested:  # asked to end before it began: the hooks may have run already
            return
        self.keeper.start()
        rate = self.settings.watcher.rate
        client = CloudClient(self.cloud.url, self.settings.watcher.cloud_rate, self.result)
        self._source("machine", lambda: machine.watch(self.intake.put, self.stopping, rate))
        self._source("cloud", lambda: asyncio.run(client.watch(self.intake.put, self.stopping)))
        self._source("weather", self._weather)
        self._source("prices", self._prices, finite=True)
        if self.options.csv:
            self._source("file", self._file, finite=True)

    def watch(self, shutdown: GracefulShutdown) -> None:
        """Return when the time is up and the finite sources are done, or a signal has come."""
        seconds = float("inf") if self.options.serve else self.options.duration
        end = time.monotonic() + seconds
        while not shutdown.requested and not self.failures and self.keeper.error is None:
            left = end - time.monotonic()
            if left <= 0 and not any(thread.is_alive() for thread in self._finite):
                break
            shutdown.sleep(min(1.0, max(0.1, left)))

    def finish(self) -> None:
        """After the drain: compare what was produced with what each store holds; draw."""
        result = self.result
        result.produced = self.intake.produced
        kept = {
            "clickhouse": self.archive.totals().get(self.run, 0),
            "postgres": self.ledger.totals().get(self.run, 0),
            "redis": self.latest.total(),
        }
        result.stored = kept["clickhouse"]
        result.lost = result.produced - min(kept.values())
        for store, count in kept.items():
            if count != result.produced:
                result.mismatches.append(f"{store} holds {count} of {result.produced} points")
        incidents = len(self.ledger.incidents())
        kept["qdrant"] = self.similar.count()
        if kept["qdrant"] != incidents:
            result.mismatches.append(f"qdrant holds {kept['qdrant']} of {incidents} incidents")
        result.mismatches += self.failures
        if self.keeper.error is not None:
            result.mismatches.append(f"the keeper failed: {self.keeper.error}")
        result.stores = kept
        draw(self._live_panels() + self.panels, self.options.plot)
        result.plot = str(self.options.plot)

    # -- the parts of start and of the drain ------------------------------------------

    def _check_earlier_runs(self) -> None:
        """Every point that an earlier run acknowledged must still be there."""
        here = self.archive.totals()
        for run, acknowledged in self.ledger.totals().items():
            if here.get(run, 0) < acknowledged:
                self.result.mismatches.append(
                    f"run {run} acknowledged {acknowledged} points, clickhouse holds {here.get(run, 0)}"
                )
        self.result.recovered = sum(here.values())
        self.alerts.reconcile()

    def _serve(self, shutdown: GracefulShutdown) -> None:
        health = Health("watcher", "1.0.0")
        for name, check in self.db.health_checks().items():
            health.add(name, check, timeout=2.0, interval=2.0)
        health.add("keeper", self.heartbeat, groups=("live",))
        shutdown.on_drain(health.start_draining)
        server = HealthServer(
            health,
            self.options.port,
            host=self.settings.watcher.host,
            extra={"/metrics": _metrics},
        )
        self._stack.callback(server.stop)
        server.start_in_background()
        self.result.urls = {
            "status": f"{server.url}/health",
            "live": f"{server.url}/health/live",
            "ready": f"{server.url}/health/ready",
            "metrics": f"{server.url}/metrics",
            "mock_cloud": self.cloud.url,
        }

    def _on_shutdown(self, shutdown: GracefulShutdown) -> None:
        """Register the drain in its order: no new points, every point kept, the last findings."""
        shutdown.on_shutdown(self._stop_sources, priority=30)
        shutdown.on_shutdown(self._drain_keeper, priority=20)
        shutdown.on_shutdown(self._last_findings, priority=10)

    def _stop_sources(self) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join()

    def _drain_keeper(self) -> None:
        if not self.keeper.drain(timeout=100.0):
            self.failures.append("the keeper could not keep every point before the end")
        if undelivered := self.archive.close(timeout=10.0):
            self.failures.append(f"{undelivered} points could not be delivered to clickhouse")

    def _last_findings(self) -> None:
        self.analyst.finish()
        if self.options.csv:
            self.panels.append(self._file_windows())
        self.alerts.reconcile()

    def _source(self, name: str, body: Callable[[], None], *, finite: bool = False) -> None:
        def run() -> None:
            try:
                body()
            except Exception as error:
                self.failures.append(f"the source {name} failed: {error}")
                log.exception("source_failed", source=name)

        thread = threading.Thread(target=run, name=f"source-{name}", daemon=True)
        self._threads.append(thread)
        if finite:
            self._finite.append(thread)
        thread.start()

    # -- the sources ------------------------------------------------------------------

    def _weather(self) -> None:
        """Take the mock cloud down for a while, so that the breaker has something to do."""
        duration = 60.0 if self.options.serve else self.options.duration
        while not self.stopping.wait(0.35 * duration):
            self.cloud.outage(on=True)
            log.warning("mock_cloud_outage", seconds=round(max(1.5, 0.1 * duration), 1))
            self.stopping.wait(max(1.5, 0.1 * duration))
            self.cloud.outage(on=False)
            if self.stopping.wait(0.55 * duration):
                return

    def _prices(self) -> None:
        """Keep the bars that are not kept yet, and judge all of them."""
        kept = self.archive.last_times("price.")
        for bars in prices.load():
            if self.stopping.is_set():
                return
            self.intake.put([p for p in bars.points() if p.time > kept.get(p.series, -1)])
            self.panels.append(history.prices(bars, self.alerts, self.ledger, self.result))

    def _file(self) -> None:
        csv = self.options.csv
        assert csv is not None
        name = self._file_name()
        for times, values in csv.chunks():
            if self.stopping.is_set():
                break
            pairs = zip(times.tolist(), values.tolist(), strict=True)
            self.intake.put([Point(name, at, value) for at, value in pairs])
        self.result.bad_rows = csv.bad.count
        self.result.bad_rows_first = csv.bad.first
        if csv.bad.count:
            log.warning("bad_rows", file=str(csv.path), count=csv.bad.count, first=csv.bad.first)

    def _file_name(self) -> str:
        csv = self.options.csv
        assert csv is not None
        return f"file.{csv.path.stem}.{csv.value_column}"

    def _file_windows(self) -> Panel:
        """Window the file inside ClickHouse: it may be larger than this process wants to hold."""
        width, time, value = self.archive.windows(self._file_name(), most=2_000)
        return history.windows(self._file_name(), time, value, width, self.alerts, self.result)

    def _live_panels(self) -> list[Panel]:
        panels = []
        for name in ("machine.cpu", "machine.net.received_bytes", "cloud.gpu-h100-1.utilisation"):
            series = self.analyst.watched.get(name)
            if series and len(series.times) > 1:
                unit = "bytes/s" if series.is_counter else "%"
                times, values = np.array(series.times), np.array(series.values)
                panels.append(Panel(name, times, values, marks=list(series.marks), unit=unit))
        return panels


def _metrics() -> tuple[str, bytes]:
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return CONTENT_TYPE_LATEST, generate_latest()
