"""red: rate, errors and duration of a block or a function of any kind."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry

from .._base.calls import is_failure, wrap
from .metrics import Counter, Histogram, counter, histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")


class red:  # noqa: N801 - used as a function
    """Count requests and errors and measure the duration of a block or a function.

    Creates `name_requests_total`, `name_errors_total` and `name_duration_seconds`. Cancellation,
    exit and a generator closed early are requests, not errors.

    Args:
        name: The beginning of the metric names.
        buckets: The histogram's bounds in seconds; the client library's defaults if None.
        registry: Where the metrics are registered.
        clock: Returns seconds that never go back.

    Example:
        >>> @red("doc_load")
        ... def load() -> int:
        ...     return 3
        >>> load()
        3
    """

    def __init__(
        self,
        name: str,
        *,
        buckets: Iterable[float] | None = None,
        registry: CollectorRegistry = REGISTRY,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.requests: Counter = counter(
            f"{name}_requests_total", f"Calls of {name}.", registry=registry
        )
        self.errors: Counter = counter(
            f"{name}_errors_total", f"Failed calls of {name}.", registry=registry
        )
        self.duration: Histogram = histogram(
            f"{name}_duration_seconds",
            f"Duration of {name} in seconds.",
            buckets=buckets,
            registry=registry,
        )
        self._clock = clock
        self._open: ContextVar[tuple[float, ...]] = ContextVar("red", default=())
        self._starts: deque[float] = deque(maxlen=1000)

    def __call__(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Decorate a function."""
        return wrap(fn, lambda _args, _kwargs: _Measured(self), by="red")

    def observe(self, seconds: float, error: BaseException | None = None) -> None:
        """Count one request that was measured elsewhere."""
        self.requests.inc()
        if is_failure(error):
            self.errors.inc()
        self.duration.observe(seconds)

    def now(self) -> float:
        """Return the clock's seconds."""
        return self._clock()

    def __enter__(self) -> Self:
        start = self._clock()
        self._open.set((*self._open.get(), start))
        self._starts.append(start)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        end, mine = self._clock(), self._open.get()
        start = (
            mine[-1] if mine else self._starts[-1] if self._starts else end
        )  # opened by another task
        self._open.set(mine[:-1])
        with suppress(ValueError):
            self._starts.remove(start)
        self.observe(end - start, exc)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(exc_type, exc, traceback)


class _Measured:
    """One call."""

    __slots__ = ("_red", "_start")

    def __init__(self, owner: red) -> None:
        self._red = owner

    def __enter__(self) -> None:
        self._start = self._red.now()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._red.observe(self._red.now() - self._start, exc)
