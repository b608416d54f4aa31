"""What flows through the service: points of named series, and a counted way in for them."""

from __future__ import annotations

import queue
import threading
from typing import NamedTuple


class Point(NamedTuple):
    """One measurement: the series' name, nanoseconds since the epoch (UTC), and the value."""

    series: str
    time: int
    value: float


class Intake:
    """The bounded way from the sources to the keeper; a full one makes the sources wait.

    Every point that a source hands over is counted as produced before it is queued,
    so that a point lost anywhere behind this line shows up as a difference.

    >>> intake = Intake(capacity=2)
    >>> intake.put([Point("cpu", 0, 1.0)])
    >>> intake.produced, intake.take(timeout=0)
    (1, [Point(series='cpu', time=0, value=1.0)])
    """

    def __init__(self, capacity: int = 256) -> None:
        self._batches: queue.Queue[list[Point]] = queue.Queue(capacity)
        self._lock = threading.Lock()
        self.produced = 0

    def put(self, points: list[Point]) -> None:
        """Hand over points; wait while the keeper is behind."""
        if points:
            with self._lock:
                self.produced += len(points)
            self._batches.put(points)

    def take(self, timeout: float, limit: int = 20_000) -> list[Point]:
        """Return what is waiting, up to about ``limit`` points; [] after ``timeout`` seconds."""
        try:
            points = list(
                self._batches.get(timeout=timeout) if timeout else self._batches.get_nowait()
            )
        except queue.Empty:
            return []
        while len(points) < limit:
            try:
                points += self._batches.get_nowait()
            except queue.Empty:
                break
        return points
