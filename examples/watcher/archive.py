"""ClickHouse: every point, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.db import DatabaseConnections

    from .points import Point

TABLE = "watcher_points"
# The window lets the server drop a batch that it already has, should a reply be lost.
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    run LowCardinality(String), series LowCardinality(String),
    time DateTime64(9, 'UTC'), value Float64)
ENGINE = MergeTree ORDER BY (series, time)
SETTINGS non_replicated_deduplication_window = 1000
"""


class Archive:
    """The table of points."""

    def __init__(self, db: DatabaseConnections, run: str) -> None:
        self._db = db
        self._run = run
        self._writer: Any = None

    def create(self) -> None:
        """Make the table if it is not there, and open the writer."""
        self._db.clickhouse.command(SCHEMA)
        self._writer = self._db.clickhouse_writer(TABLE, max_rows=50_000, max_delay=0.5)

    def keep(self, points: list[Point]) -> None:
        """Write points and wait until the server has them."""
        run = self._run
        self._writer.write_many(
            [{"run": run, "series": p.series, "time": p.time, "value": p.value} for p in points]
        )
        self._writer.flush()

    def totals(self) -> dict[str, int]:
        """Return how many points each run has here."""
        rows = self._db.clickhouse.query(
            f"SELECT run, count() FROM {TABLE} GROUP BY run"  # noqa: S608 - a constant of ours
        ).result_rows
        return {run: int(count) for run, count in rows}

    def last_times(self, prefix: str) -> dict[str, int]:
        """Return the newest time (ns UTC) of each series whose name starts with it."""
        rows = self._db.clickhouse.query(
            f"SELECT series, toUnixTimestamp64Nano(max(time)) FROM {TABLE} "  # noqa: S608
            "WHERE startsWith(series, {prefix:String}) GROUP BY series",
            parameters={"prefix": prefix},
        ).result_rows
        return {series: int(time) for series, time in rows}

    def windows(
        self, series: str, most: int
    ) -> tuple[float, NDArray[np.int64], NDArray[np.float64]]:
        """Return at most `most` windows of this run's series: width in s, starts in ns, averages."""
        at = {"run": self._run, "series": series}
        where = f"FROM {TABLE} WHERE run = {{run:String}} AND series = {{series:String}}"
        low, high = self._db.clickhouse.query(
            f"SELECT toUnixTimestamp64Nano(min(time)), toUnixTimestamp64Nano(max(time)) {where}",
            parameters=at,
        ).first_row
        width = max(1_000_000_000, -(-(high - low + 1) // most))
        rows = self._db.clickhouse.query(
            "SELECT intDiv(toUnixTimestamp64Nano(time) - {low:Int64}, {width:Int64}) AS window, "
            f"avg(value) {where} GROUP BY window ORDER BY window",
            parameters=at | {"low": low, "width": width},
        ).result_columns
        window, average = rows or ((), ())
        starts = low + np.array(window, dtype=np.int64) * width
        return width / 1e9, starts, np.array(average, dtype=np.float64)

    def close(self, timeout: float) -> int:
        """Deliver what is left; return how many points could not be."""
        return int(self._writer.close(timeout).undelivered) if self._writer else 0
