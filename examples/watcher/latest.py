"""Redis: the latest state of each series, and the memory that keeps alerts from repeating."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.db import DatabaseConnections

WEEK = 7 * 86_400


class Latest:
    """The service's keys in Redis."""

    def __init__(self, db: DatabaseConnections, run: str) -> None:
        self._db = db
        self._points = f"watcher:run:{run}:points"

    def keep(self, totals: Iterable[tuple[str, int, int, float]]) -> None:
        """Set (series, points so far, last time in ns, last value), all at once."""
        with self._db.redis.pipeline(transaction=True) as pipe:
            for series, count, time, value in totals:
                pipe.hset(f"watcher:latest:{series}", mapping={"time": time, "value": value})
                pipe.hset(self._points, series, str(count))
            pipe.expire(self._points, WEEK)
            pipe.execute()

    def total(self) -> int:
        """Return how many points this run has counted here."""
        return sum(int(count) for count in self._db.redis.hvals(self._points))

    def first(self, series: str, bucket: int, seconds: float) -> bool:
        """Tell whether this alert is the first of its series in its bucket of time."""
        key = f"watcher:alert:{series}:{bucket}"
        return bool(self._db.redis.set(key, 1, nx=True, px=max(1, int(seconds * 1000))))
