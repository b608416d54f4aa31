"""PostgreSQL: what was kept in each run, the incidents, and the signals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.db import DatabaseConnections

SCHEMA = """
CREATE TABLE IF NOT EXISTS watcher_ledger (
    run text NOT NULL, series text NOT NULL, points bigint NOT NULL,
    last_time timestamptz NOT NULL, last_value double precision NOT NULL,
    PRIMARY KEY (run, series));
CREATE TABLE IF NOT EXISTS watcher_incidents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run text NOT NULL,
    series text NOT NULL, at timestamptz NOT NULL, value double precision NOT NULL,
    score double precision NOT NULL, alike jsonb NOT NULL DEFAULT '[]', shape real[] NOT NULL,
    UNIQUE (series, at));
CREATE TABLE IF NOT EXISTS watcher_signals (
    series text NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, side text NOT NULL,
    price double precision NOT NULL, PRIMARY KEY (series, at, kind));
"""


class Signal(NamedTuple):
    """A trading signal: series, time (ns UTC), the rule that gave it, its side and the price."""

    series: str
    time: int
    kind: str
    side: str
    price: float


class Ledger:
    """The service's tables in PostgreSQL."""

    def __init__(self, db: DatabaseConnections, run: str) -> None:
        self._db = db
        self._run = run

    def create(self) -> None:
        """Make the tables that are not there; two services may start at once."""
        with self._db.get_postgres_cursor(commit=True) as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('watcher schema'))")
            cursor.execute(SCHEMA)

    def keep(self, totals: Iterable[tuple[str, int, int, float]]) -> None:
        """Set this run's account: (series, points so far, last time in ns, last value)."""
        with self._db.get_postgres_cursor(commit=True) as cursor:
            cursor.executemany(
                """INSERT INTO watcher_ledger VALUES (%s, %s, %s, to_timestamp(%s), %s)
                ON CONFLICT (run, series) DO UPDATE SET
                    points = excluded.points,
                    last_time = excluded.last_time, last_value = excluded.last_value""",
                [
                    (self._run, series, count, at / 1e9, value)
                    for series, count, at, value in totals
                ],
            )

    def totals(self) -> dict[str, int]:
        """Return how many points each run has acknowledged."""
        with self._db.get_postgres_cursor() as cursor:
            cursor.execute("SELECT run, sum(points)::bigint FROM watcher_ledger GROUP BY run")
            return dict(cursor.fetchall())

    def open(
        self, series: str, time: int, value: float, score: float, shape: list[float]
    ) -> int | None:
        """Write an incident; return its number, None when it is known already."""
        with self._db.get_postgres_cursor(commit=True) as cursor:
            cursor.execute(
                """INSERT INTO watcher_incidents (run, series, at, value, score, shape)
                VALUES (%s, %s, to_timestamp(%s), %s, %s, %s)
                ON CONFLICT (series, at) DO NOTHING RETURNING id""",
                (self._run, series, time / 1e9, value, score, shape),
            )
            row = cursor.fetchone()
            return int(row[0]) if row else None

    def link(self, incident: int, similar: list[dict[str, Any]]) -> None:
        """Note the earlier incidents that an incident looks like."""
        with self._db.get_postgres_cursor(commit=True) as cursor:
            cursor.execute(
                "UPDATE watcher_incidents SET alike = %s::jsonb WHERE id = %s",
                (json.dumps(similar), incident),
            )

    def incidents(self) -> list[tuple[int, str, list[float]]]:
        """Return number, series and shape of every incident."""
        with self._db.get_postgres_cursor() as cursor:
            cursor.execute("SELECT id, series, shape FROM watcher_incidents ORDER BY id")
            return [(int(number), str(series), list(shape)) for number, series, shape in cursor]

    def signal(self, signals: list[Signal]) -> None:
        """Write signals; those that are known already stay as they are."""
        with self._db.get_postgres_cursor(commit=True) as cursor:
            cursor.executemany(
                """INSERT INTO watcher_signals VALUES (%s, to_timestamp(%s), %s, %s, %s)
                ON CONFLICT DO NOTHING""",
                [(s.series, s.time / 1e9, s.kind, s.side, s.price) for s in signals],
            )
