# ruff: noqa: SLF001  the modules of one package know each other's inside
"""What a circuit breaker hands out: leave to make a call, and what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ._breaker_config import CircuitState
    from ._circuit import Circuit
    from ._windows import CountedCalls, TimedCalls

NO_RESULT: Any = object()  # of a block: `record_result` has nothing to judge


@dataclass(frozen=True, slots=True)
class CircuitBreakerMetrics:
    """What a circuit breaker saw, at one moment.

    Attributes:
        state: The state.
        calls: Calls that the present judgement rests on: those in the window; without one,
            the failures in a row.
        failures: How many of them failed (or were slow, when there is no window).
        slow_calls: How many of them were slow (0 without a window).
        failure_rate: ``failures / calls``, 0.0 without calls.
        slow_call_rate: ``slow_calls / calls``, 0.0 without calls.
        rejected: Calls rejected since the breaker was made.
        opened: How often it opened since it was made.
        probes: Probes under way (only when half-open).
        retry_after: Seconds until an open circuit lets a probe through, else ``None``.
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
        # looked at too, because it may complete the minimum of calls.
        self.failures: int = 0
        self.window: CountedCalls | TimedCalls | None = window
        self.note: Callable[[int], None] | None = None if window is None else window.note
        self.probes: int = 0
        self.successes: int = 0


class Permit:
    """Leave to make one call through a breaker. End it once: later ends change nothing.

    As a context manager it ends with the block: well, or with the block's exception.
    A permit that is dropped without an end is given back.
    """

    __slots__ = ("_breaker", "_done", "_period", "_started")

    def __init__(self, breaker: Circuit, period: Period) -> None:
        self._breaker = breaker
        self._period = period
        self._done = True  # until the clock has answered
        self._started = breaker._clock() if breaker._slow is not None else 0.0
        self._done = False

    def success(self, result: Any = NO_RESULT) -> None:
        """The call went well (``record_result`` has the last word on ``result``, if given)."""
        if not self._done:
            self._done = True
            self._breaker._succeeded(self._period, self._started, result)

    def failure(self, exc: BaseException | None = None) -> None:
        """The call failed; without an exception the failure counts whatever ``record`` says."""
        if not self._done:
            self._done = True
            self._breaker._ended_by(self._period, self._started, exc)

    def release(self) -> None:
        """The call says nothing about the service: give the permit back, count nothing."""
        if not self._done:
            self._done = True
            self._breaker._released(self._period)

    def end(self, exc: BaseException | None, /) -> None:
        """The call ended with this exception, or well."""
        if exc is None:
            self.success()
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
