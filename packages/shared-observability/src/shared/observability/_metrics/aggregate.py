"""MetricsAggregator: sums, counts and quantiles over time windows, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.core import checks, forks

from .sketch import QuantileSketch

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Summary:
    """The values of a metric in some windows.

    Attributes:
        count: The number of values.
        sum: Their sum.
        min: The smallest, exact; NaN without values, like everything below.
        max: The greatest, exact.
        mean: The sum divided by the count.
        p50: The median, within the sketch's relative error, like all quantiles.
        p90: The 0.9-quantile.
        p95: The 0.95-quantile.
        p99: The 0.99-quantile.
    """

    count: int
    sum: float
    min: float
    max: float
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float


class MetricsAggregator:
    """Aggregates values by name over time windows; safe to use from many threads.

    Args:
        window: The length of one window in seconds.
        windows: How many windows are kept, including the current one.
        error: The relative error of quantiles.
        max_names: The maximum number of names; values of further names count as `__overflow__`.
        clock: Returns seconds that never go back.

    Raises:
        ValueError: An argument is out of range.
        TypeError: An argument is not a number.

    Example:
        >>> metrics = MetricsAggregator(window=60, windows=5, clock=lambda: 0.0)
        >>> for value in (0.1, 0.2, 0.4):
        ...     metrics.record("latency_seconds", value)
        >>> metrics.count("latency_seconds"), round(metrics.sum("latency_seconds"), 6)
        (3, 0.7)
        >>> metrics.quantile("latency_seconds", 1.0)
        0.4
    """

    def __init__(
        self,
        window: float = 60.0,
        windows: int = 10,
        *,
        error: float = 0.01,
        max_names: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.window: float = checks.number("window", window, above=0)
        self.windows: int = checks.whole("windows", windows)
        self.error: float = QuantileSketch(error).error
        self._max_names = checks.whole("max_names", max_names)
        self._clock = clock
        self._lock = threading.RLock()
        forks.renew(self)
        # For each name its windows, oldest first: (number of the window, sketch).
        self._data: dict[str, deque[tuple[int, QuantileSketch]]] = {}

    def renew_after_fork(self) -> None:
        """Replace the lock: its holder does not exist in the child."""
        self._lock = threading.RLock()

    def record(self, name: str, value: float) -> None:
        """Add one value.

        Raises:
            ValueError: NaN or an infinity.
        """
        now = int(self._clock() // self.window)
        with self._lock:
            self._sketch(name, now).add(value)

    def _sketch(self, name: str, now: int) -> QuantileSketch:
        kept = self._data.get(name)
        if kept is None:
            if len(self._data) >= self._max_names and name != "__overflow__":
                return self._sketch("__overflow__", now)
            kept = self._data[name] = deque()
        if not kept or kept[-1][0] < now:
            kept.append((now, QuantileSketch(self.error)))
            while kept[0][0] <= now - self.windows:
                kept.popleft()
        return kept[-1][1]

    def names(self) -> list[str]:
        """Return the names with values in the kept windows, sorted."""
        with self._lock:
            return sorted(name for name in self._data if self._merged(name, None).count)

    def sketch(self, name: str, windows: int | None = None) -> QuantileSketch:
        """Return one sketch, merged from the newest windows.

        Args:
            name: The metric.
            windows: How many, including the current one; all kept windows if None.
        """
        with self._lock:
            return self._merged(name, windows)

    def _merged(self, name: str, windows: int | None) -> QuantileSketch:
        wanted = self.windows if windows is None else windows
        oldest = int(self._clock() // self.window) - wanted
        merged = QuantileSketch(self.error)
        for number, sketch in self._data.get(name, ()):
            if number > oldest:
                merged.merge(sketch)
        return merged

    def count(self, name: str, windows: int | None = None) -> int:
        """Return the number of values."""
        return self.sketch(name, windows).count

    def sum(self, name: str, windows: int | None = None) -> float:
        """Return the sum of the values."""
        return self.sketch(name, windows).sum

    def rate(self, name: str, windows: int | None = None) -> float:
        """Return the values per second over whole windows."""
        wanted = self.windows if windows is None else windows
        return self.count(name, windows) / (self.window * wanted)

    def quantile(self, name: str, q: float, windows: int | None = None) -> float:
        """Return the q-quantile, within the relative error; NaN without values."""
        return self.sketch(name, windows).quantile(q)

    def summary(self, name: str, windows: int | None = None) -> Summary:
        """Return count, sum, extremes, mean and the usual quantiles."""
        s = self.sketch(name, windows)
        nan = float("nan")
        return Summary(
            s.count,
            s.sum,
            s.min if s.count else nan,
            s.max if s.count else nan,
            s.sum / s.count if s.count else nan,
            *(s.quantile(q) for q in (0.5, 0.9, 0.95, 0.99)),
        )

    def snapshot(self) -> dict[str, Any]:
        """Return all names with their merged sketches as plain data, for another process to merge."""
        with self._lock:
            return {name: self._merged(name, None).to_dict() for name in list(self._data)}

    def merge(self, other: MetricsAggregator | dict[str, Any]) -> None:
        """Add the values of another aggregator (or its snapshot) to the current window.

        Raises:
            ValueError: Its relative error is different.
        """
        given = other.snapshot() if isinstance(other, MetricsAggregator) else other
        now = int(self._clock() // self.window)
        with self._lock:
            for name, data in given.items():
                self._sketch(name, now).merge(QuantileSketch.from_dict(data))
