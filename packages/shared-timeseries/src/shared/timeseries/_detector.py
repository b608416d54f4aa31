"""Anomalies in a stream, one point at a time."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ._clock import read_time


class Anomaly(NamedTuple):
    """What `AnomalyDetector.update` says of one point."""

    score: float
    """0 (as expected) to 1."""
    is_anomaly: bool
    expected: float
    lower: float
    upper: float


class AnomalyDetector:
    """Scores each point of a metric against what the points before it let expect.

    Args:
        threshold: Score from which a point is an anomaly.
        warm_up: Points before the first anomaly.

    Example:
        >>> detector = AnomalyDetector()
        >>> for second in range(500):
        ...     _ = detector.update(second, 20 + second % 3)
        >>> detector.update(500, 21).is_anomaly, detector.update(501, 90).is_anomaly
        (False, True)
    """

    __slots__ = ("_count", "_fast", "_mean", "_spread", "threshold", "warm_up")

    def __init__(self, *, threshold: float = 0.5, warm_up: int = 100) -> None:
        """Begin without a history."""
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold: {threshold} is not above 0 and at most 1")
        self.threshold, self.warm_up = threshold, warm_up
        self._count, self._mean, self._spread, self._fast = 0, 0.0, 0.0, 0.0

    def update(self, timestamp: Any, value: float | None) -> Anomaly:
        """Score one point, then learn from it."""
        read_time(timestamp, "timestamp")
        x = math.nan if value is None else float(value)
        if not math.isfinite(x):
            return Anomaly(0.0, False, self._mean, self._mean, self._mean)
        self._count += 1
        rate = max(0.01, 1 / self._count)
        expected, spread = self._mean, self._spread
        if self._count == 1:
            expected = self._mean = x
        away = abs(x - expected)
        score = 0.0
        if away > 1e-9 * max(abs(x), abs(expected)) and self._count > 10:
            z = away / spread if spread > 0 else 100.0
            score = 1 - math.exp(-max(0.0, z - 2) / 6)
        self._mean += rate * (x - self._mean)
        self._spread += rate * (min(away, 5 * spread if spread > 0 else away) - spread)
        reach = 6.2 * spread
        found = score >= self.threshold and self._count > self.warm_up
        return Anomaly(score, found, expected, expected - reach, expected + reach)
