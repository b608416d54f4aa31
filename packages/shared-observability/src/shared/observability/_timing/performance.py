"""Time and memory together: PerformanceTracker, performance_tracker and benchmark."""

from __future__ import annotations

import statistics
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Self, TypeVar

from shared.core import checks, forks
from shared.core.callables import decorate, describe, kind_of

from .._logging.decorators import Target
from .._metrics.sketch import QuantileSketch
from .memory import MemoryTracker
from .timers import Timer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from .._logging.logger import Logger

P = ParamSpec("P")
T = TypeVar("T")


class PerformanceTracker:
    """Measures a job as a whole and by its steps.

    Args:
        name: The job.
        track_memory: Measure allocations too (slower).
        clock: Returns seconds that never go back.

    Attributes:
        timer: The `Timer` of the whole.
        memory: The `MemoryTracker` of the whole, or None.

    Example:
        >>> with PerformanceTracker("import") as job:
        ...     for _ in range(3):
        ...         with job.step("row"):
        ...             pass
        >>> job.summary()["row"]["count"]
        3
    """

    def __init__(
        self,
        name: str = "job",
        track_memory: bool = False,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.name = name
        self.timer: Timer = Timer(name, clock=clock)
        self.memory: MemoryTracker | None = MemoryTracker(name) if track_memory else None
        self._clock = clock
        self._steps: dict[str, QuantileSketch] = {}
        self._lock = threading.Lock()
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Replace the lock: its holder does not exist in the child."""
        self._lock = threading.Lock()

    @property
    def elapsed(self) -> float:
        """Seconds of the whole, also while running."""
        return self.timer.elapsed

    def start(self) -> Self:
        """Start the whole."""
        if self.memory is not None:
            self.memory.start()
        self.timer.start()
        return self

    def stop(self) -> float:
        """Stop the whole and return its seconds."""
        seconds = self.timer.stop()
        if self.memory is not None:
            self.memory.stop()
        return seconds

    @contextmanager
    def step(self, name: str) -> Iterator[Timer]:
        """Measure one step; steps of the same name add up."""
        with Timer(name, clock=self._clock) as timer:
            try:
                yield timer
            finally:
                self.record(name, timer.stop())

    def record(self, name: str, seconds: float) -> None:
        """Add a step that was measured elsewhere."""
        with self._lock:
            self._steps.setdefault(name, QuantileSketch()).add(seconds)

    def summary(self) -> dict[str, dict[str, float]]:
        """Return count, total, mean, min, max, p50, p95 and p99 of each step, in seconds."""
        with self._lock:
            return {
                name: {
                    "count": s.count,
                    "total": s.sum,
                    "mean": s.sum / s.count,
                    "min": s.min,
                    "max": s.max,
                    "p50": s.quantile(0.5),
                    "p95": s.quantile(0.95),
                    "p99": s.quantile(0.99),
                }
                for name, s in self._steps.items()
            }

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


@contextmanager
def performance_tracker(
    name: str = "job",
    track_memory: bool = False,
    *,
    level: int | str = "INFO",
    logger: Logger | str | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[PerformanceTracker]:
    """Track a block with a `PerformanceTracker` and log the result.

    Args:
        name: The job.
        track_memory: Measure allocations too (slower).
        level: The level of the line.
        logger: A logger or its name; `shared.observability` if None.
        clock: Returns seconds that never go back.

    Yields:
        The running tracker.

    Example:
        >>> with performance_tracker("import") as job, job.step("rows"):
        ...     pass
    """
    target = Target(performance_tracker, logger or "shared.observability", level)
    with PerformanceTracker(name, track_memory, clock=clock) as tracker:
        try:
            yield tracker
        finally:
            seconds = tracker.stop()
            fields: dict[str, Any] = {"duration_seconds": round(seconds, 9)}
            if tracker.memory is not None:
                fields["allocated_bytes"] = tracker.memory.allocated
                fields["peak_bytes"] = tracker.memory.peak
            if steps := tracker.summary():
                fields["steps"] = steps
            target.log(f"{name} took {seconds:.6f} s", **fields)


@dataclass(frozen=True, slots=True)
class BenchmarkResult(Generic[T]):
    """The result of a benchmark; times in seconds.

    Attributes:
        name: The function.
        result: The return value of its last call.
        times: The seconds of each call, in order.
        peak_memory: The maximum of bytes that one call had alive at once, if requested.
    """

    name: str
    result: T
    times: tuple[float, ...] = field(repr=False)
    peak_memory: int | None = None

    @property
    def iterations(self) -> int:
        """The number of measured calls."""
        return len(self.times)

    @property
    def total(self) -> float:
        """The seconds of all calls together."""
        return sum(self.times)

    @property
    def mean(self) -> float:
        """The mean of the calls."""
        return self.total / len(self.times)

    @property
    def median(self) -> float:
        """The median of the calls."""
        return statistics.median(self.times)

    @property
    def min(self) -> float:
        """The fastest call."""
        return min(self.times)

    @property
    def max(self) -> float:
        """The slowest call."""
        return max(self.times)

    @property
    def stdev(self) -> float:
        """The sample standard deviation; 0.0 for a single call."""
        return statistics.stdev(self.times) if len(self.times) > 1 else 0.0


def benchmark(
    iterations: int = 100,
    track_memory: bool = False,
    *,
    warmup: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> Callable[[Callable[P, object]], Callable[P, BenchmarkResult[Any]]]:
    """Turn each call of a function or coroutine function into a benchmark of it.

    Args:
        iterations: How many calls are measured.
        track_memory: Measure the peak of allocations in one more call, which is not timed.
        warmup: How many calls come before, unmeasured.
        clock: Returns seconds that never go back.

    Returns:
        A decorator; the decorated function returns a `BenchmarkResult`.

    Raises:
        ValueError: Fewer than one iteration, or a negative warm-up.
        TypeError: One of them is not a number; or, by the decorator, a generator function.

    Example:
        >>> @benchmark(iterations=5)
        ... def work() -> int:
        ...     return sum(range(100))
        >>> result = work()
        >>> result.iterations, result.result
        (5, 4950)
    """
    iterations = checks.whole("iterations", iterations)
    warmup = checks.whole("warmup", warmup, least=0)

    def make(inner: Any) -> Any:
        name, kind = describe(inner), kind_of(inner)
        if "generator" in kind:
            allowed = "a function or coroutine function"
            raise checks.refuse("fn", allowed, inner, TypeError)

        async def measured_async(*args: Any, **kwargs: Any) -> BenchmarkResult[Any]:
            times, result, peak = [], None, None
            for _ in range(warmup + iterations):
                start = clock()
                result = await inner(*args, **kwargs)
                times.append(clock() - start)
            if track_memory:
                with MemoryTracker() as memory:
                    await inner(*args, **kwargs)
                peak = memory.peak
            return BenchmarkResult(name, result, tuple(times[warmup:]), peak)

        def measured(*args: Any, **kwargs: Any) -> Any:
            times, result, peak = [], None, None
            for _ in range(warmup + iterations):
                start = clock()
                result = inner(*args, **kwargs)
                times.append(clock() - start)
                if isinstance(result, CoroutineType):  # a lambda that returns a coroutine
                    result.close()
                    return measured_async(*args, **kwargs)
            if track_memory:
                with MemoryTracker() as memory:
                    inner(*args, **kwargs)
                peak = memory.peak
            return BenchmarkResult(name, result, tuple(times[warmup:]), peak)

        return measured_async if kind == "async" else measured

    def decorator(fn: Any) -> Any:
        return decorate(fn, make, by="benchmark")

    return decorator
