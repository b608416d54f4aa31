"""What a circuit breaker hands out: permits for calls, and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .._base.windows import CountedCalls, TimedCalls
    from .config import CircuitState

NO_RESULT: Any = object()  # of a block: `record_result` has nothing to judge


@dataclass(frozen=True, slots=True)
class CircuitBreakerMetrics:
    """What a circuit breaker saw, at one moment.

    Attributes:
        state: The state.
        calls: Calls that the current judgement rests on: those in the window; without one,
            the failures in a row.
        failures: How many of them failed (or were slow, if there is no window).
        slow_calls: How many of them were slow (0 without a window).
        failure_rate: `failures / calls`, 0.0 without calls.
        slow_call_rate: `slow_calls / calls`, 0.0 without calls.
        rejected: Calls rejected since the breaker was made.
        opened: How often it opened since it was made.
        probes: Probes under way (only if half-open).
        retry_after: Seconds until an open circuit lets a probe through, else `None`.
    """

    state: CircuitState
    calls: int
    failures: int
    slow_calls: int
    failure_rate: float
    slow_call_rate: float
    rejected: int
    opened: int
    probes: int
    retry_after: float | None


class Period:
    """One uninterrupted stay in one state. Its identity is the generation of a call."""

    __slots__ = ("failures", "note", "probes", "successes", "window")

    def __init__(self, window: CountedCalls | TimedCalls | None) -> None:
        # Without a window: failures in a row. With one: whether a success has to be
        # judged too, because it may complete the minimum of calls.
        self.failures: int = 0
        self.window: CountedCalls | TimedCalls | None = window
        self.note: Callable[[int], None] | None = None if window is None else window.note
        self.probes: int = 0
        self.successes: int = 0


class Book(Protocol):
    """Where the end of a call is entered."""

    def started(self) -> float:
        """Return when a call starts, if its duration matters."""
        raise NotImplementedError

    def succeed(self, period: Period, started: float, result: Any) -> None:
        """Enter a call that returned."""

    def fail(self, period: Period, started: float, exc: BaseException | None) -> None:
        """Enter a call that raised."""

    def release(self, period: Period) -> None:
        """Enter a call that is unrelated to the service's health."""


class Permit:
    """A permit for one call through a breaker. End it once: later ends change nothing.

    As a context manager it ends with the block: well, or with the block's exception.
    A permit that is dropped without an end is returned.
    """

    __slots__ = ("_book", "_done", "_period", "_started")

    def __init__(self, book: Book, period: Period) -> None:
        self._book = book
        self._period = period
        self._done = True  # until the clock has answered
        self._started = book.started()
        self._done = False

    def success(self, result: Any = NO_RESULT) -> None:
        """Report that the call went well; `record_result` may decide otherwise about `result`."""
        if not self._done:
            self._done = True
            self._book.succeed(self._period, self._started, result)

    def failure(self, exc: BaseException | None = None) -> None:
        """Report that the call failed; without an exception it always counts."""
        if not self._done:
            self._done = True
            self._book.fail(self._period, self._started, exc)

    def release(self) -> None:
        """Return the permit and count nothing: the call is unrelated to the service's health."""
        if not self._done:
            self._done = True
            self._book.release(self._period)

    def end(self, exc: BaseException | None, /, result: Any = NO_RESULT) -> None:
        """Report that the call ended with this exception, or well."""
        if exc is None:
            self.success(result)
        else:
            self.failure(exc)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end(exc)

    def __del__(self) -> None:
        self.release()
