"""What flows through the service: points of named series, and a counted way in for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import NamedTuple


class Point(NamedTuple):
    """One measurement: the series' name, nanoseconds since the epoch (UTC), and the value."""

    series: str
    time: int
    value: float


class Intake:
    """The bounded way from the sources to the keeper; a full one makes the sources wait.

    Every point that a source hands over is counted as produced, so that a point lost
    anywhere behind this line shows up as a difference.

    >>> intake = Intake()
    >>> intake.put([Point("cpu", 0, 1.0)])
    >>> intake.produced, intake.take(timeout=0)
    (1, [Point(series='cpu', time=0, value=1.0)])
    """

    def __init__(self, capacity: int = 200_000) -> None:
        self._capacity = capacity
        self._batches: deque[list[Point]] = deque()
        self._changed = threading.Condition()
        self.waiting = 0
        self.produced = 0

    def put(self, points: list[Point]) -> None:
        """Hand over points; wait while the keeper is behind. One batch always fits when empty."""
        if not points:
            return
        with self._changed:
            while self.waiting and self.waiting + len(points) > self._capacity:
                self._changed.wait()
            self._batches.append(points)
            self.waiting += len(points)
            self.produced += len(points)
            self._changed.notify_all()

    def take(self, timeout: float, limit: int = 100_000) -> list[Point]:
        """Return what is waiting, about `limit` points at most; [] after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not self._batches:
                left = deadline - time.monotonic()
                if left <= 0:
                    return []
                self._changed.wait(left)
            points: list[Point] = []
            while self._batches and (not points or len(points) + len(self._batches[0]) <= limit):
                points += self._batches.popleft()
            self.waiting -= len(points)
            self._changed.notify_all()
            return points
