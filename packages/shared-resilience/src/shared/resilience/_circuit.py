"""The state machine of a circuit breaker."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ._breaker_config import (
    CircuitBreakerConfig,
    CircuitState,
    CountWindow,
    TimeWindow,
    configuration,
    matcher,
)
from ._check import function, text
from ._errors import of_the_call
from ._permit import NO_RESULT, CircuitBreakerMetrics, Period, Permit
from ._policy import Guard
from ._telemetry import emit, safely
from ._windows import CountedCalls, TimedCalls

if TYPE_CHECKING:
    from ._breaker import CircuitBreaker

TransitionHook: TypeAlias = Callable[["CircuitBreaker", CircuitState, CircuitState], object]
H = TypeVar("H", bound=TransitionHook)

CLOSED = CircuitState.CLOSED
OPEN = CircuitState.OPEN
HALF_OPEN = CircuitState.HALF_OPEN
_FAILED, _SLOW = 1, 2
# States in which calls go through unasked.
_PASSING = frozenset({CLOSED, CircuitState.DISABLED, CircuitState.METRICS_ONLY})
_EVENTS = {
    CLOSED: "closed",
    OPEN: "opened",
    HALF_OPEN: "half_opened",
}


class Circuit(Guard):
    """The states and what changes them; :class:`CircuitBreaker` runs calls through it."""

    def __init__(
        self,
        name: str,
        config: CircuitBreakerConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name: str = text("name", name)
        config = configuration(config)
        self.config: CircuitBreakerConfig = config
        self._clock = function("clock", clock)
        self._records = matcher(config.record)
        self._ignores = matcher(config.ignore) if config.ignore != () else None
        self._slow = config.slow_call_duration
        self._minimum = config.minimum_calls
        if isinstance(config.window, CountWindow):
            self._minimum = min(self._minimum, config.window.size)
        # Reentrant: collecting a dropped permit may run anywhere, also in here.
        self._lock = threading.RLock()
        self._hooks: tuple[TransitionHook, ...] = ()
        self._news: deque[tuple[CircuitState, CircuitState]] = deque()
        self._rejected = 0
        self._opened = 0
        self._until = 0.0
        self._last_exception: BaseException | None = None
        self._enter(CLOSED)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.state}>"

    @property
    def state(self) -> CircuitState:
        """The state. An open circuit whose timeout is over is half-open."""
        with self._lock:
            if self._state is OPEN and self._clock() >= self._until:
                return HALF_OPEN
            return self._state

    @property
    def metrics(self) -> CircuitBreakerMetrics:
        """A snapshot of what the breaker saw."""
        with self._lock:
            period, state = self._period, self.state
            if period.window is not None:
                calls, failures, slow = period.window.counts()
            else:
                calls, failures, slow = period.failures, period.failures, 0
            return CircuitBreakerMetrics(
                state=state,
                calls=calls,
                failures=failures,
                slow_calls=slow,
                failure_rate=failures / calls if calls else 0.0,
                slow_call_rate=slow / calls if calls else 0.0,
                rejected=self._rejected,
                opened=self._opened,
                probes=period.probes,
                retry_after=self._until - self._clock() if state is OPEN else None,
            )

    @property
    def last_exception(self) -> BaseException | None:
        """The failure that opened the circuit last; forgotten when it closes."""
        return self._last_exception

    def try_acquire(self) -> Permit | None:
        """Get a permit for a call that is not a function call.

        Returns:
            A permit, or ``None`` if the circuit is open.

        Example:
            >>> from shared.resilience import CircuitBreaker
            >>> breaker = CircuitBreaker("search")
            >>> if permit := breaker.try_acquire():
            ...     with permit:
            ...         print("calling")
            calling
        """
        try:
            return self._admit()
        finally:
            self._tell()

    def on_transition(self, hook: H) -> H:
        """Have ``hook(breaker, old, new)`` called after every change of state.

        Hooks run in the thread that caused the change, outside all locks; one that raises
        is logged and fails nothing.

        Returns:
            The hook, so that this is a decorator too.
        """
        function("hook", hook)
        with self._lock:
            self._hooks += (hook,)
        return hook

    def reset(self) -> None:
        """Close the circuit, forget all counts, and end any forced state."""
        self._force(CLOSED)

    def force_open(self) -> None:
        """Reject every call until :meth:`reset`."""
        self._force(CircuitState.FORCED_OPEN)

    def disable(self) -> None:
        """Let every call through and count nothing, until :meth:`reset`."""
        self._force(CircuitState.DISABLED)

    def metrics_only(self) -> None:
        """Count, but let every call through, until :meth:`reset`."""
        self._force(CircuitState.METRICS_ONLY)

    # Below: what calls do. `_admit` gives a permit; the permit, or a call that went through
    # unasked, ends in `_succeeded`, `_ended_by`, `_looked_at` or `_released`.

    def _admit(self) -> Permit | None:
        with self._lock:
            if self._state is OPEN and self._clock() >= self._until:
                self._enter(HALF_OPEN)
            period = self._period
            if self._state in _PASSING:
                return Permit(self, period)
            if self._state is HALF_OPEN and period.probes < self.config.half_open_max_calls:
                permit = Permit(self, period)
                period.probes += 1
                return permit
            self._rejected += 1
            return None

    def _succeeded(self, period: Period, started: float, result: Any) -> None:
        judge = self.config.record_result
        if judge is not None and result is not NO_RESULT:
            try:
                failed = judge(result)
            except BaseException:
                self._released(period)
                raise
            if failed:
                self._count(period, started, _FAILED, None)
                return
        self._count(period, started, 0, None)

    def _ended_by(self, period: Period, started: float, exc: BaseException | None) -> None:
        """Count a call that raised: as a failure, as an answer, or as nothing."""
        failed = True
        if exc is not None:
            if not of_the_call(exc):
                self._released(period)
                return
            try:
                ignored = self._ignores is not None and self._ignores(exc)
                failed = not ignored and self._records(exc)
            except BaseException:
                self._released(period)
                raise
            if ignored:
                self._released(period)
                return
        self._count(period, started, _FAILED if failed else 0, exc)

    def _count(
        self, period: Period, started: float, outcome: int, exc: BaseException | None
    ) -> None:
        if self._slow is not None and self._clock() - started >= self._slow:
            outcome |= _SLOW
        with self._lock:
            if period is not self._period:
                return  # it began before the last transition: it tells nothing of this one
            state = self._state
            if state is HALF_OPEN:
                period.probes -= 1
                if outcome:
                    self._open(exc)
                else:
                    period.successes += 1
                    if period.successes >= self.config.success_threshold:
                        self._enter(CLOSED)
            elif state is CLOSED or state is CircuitState.METRICS_ONLY:
                if period.note is not None:
                    period.note(outcome)
                    if outcome or period.failures:
                        self._judge(period, exc)
                elif not outcome:
                    period.failures = 0
                else:
                    period.failures += 1
                    if state is CLOSED and period.failures >= self.config.failure_threshold:
                        self._open(exc)
        self._tell()

    def _looked_at(self, period: Period) -> None:
        """A call went well after failures, while closed."""
        with self._lock:
            if period is not self._period:
                return
            if period.window is None:
                period.failures = 0
            else:
                self._judge(period, None)
        self._tell()

    def _judge(self, period: Period, exc: BaseException | None) -> None:
        assert period.window is not None
        calls, failures, slow = period.window.counts()
        if calls < self._minimum:
            period.failures = failures + slow
            return
        period.failures = 0
        config = self.config
        if self._state is CLOSED and (
            failures >= config.failure_rate * calls
            or (self._slow is not None and slow >= config.slow_call_rate * calls)
        ):
            self._open(exc)

    def _released(self, period: Period) -> None:
        with self._lock:
            if period is self._period and self._state is HALF_OPEN:
                period.probes -= 1

    def _open(self, exc: BaseException | None) -> None:
        self._until = self._clock() + self.config.timeout
        self._last_exception = exc
        self._opened += 1
        self._enter(OPEN)

    def _force(self, state: CircuitState) -> None:
        with self._lock:
            self._enter(state)
        self._tell()

    def _enter(self, state: CircuitState) -> None:
        """Begin a new period. The lock is held; `_tell` is called after it is released."""
        window: CountedCalls | TimedCalls | None = None
        if isinstance(self.config.window, CountWindow):
            window = CountedCalls(self.config.window.size)
        elif isinstance(self.config.window, TimeWindow):
            window = TimedCalls(self.config.window.seconds, self._clock)
        period = Period(window)
        old = getattr(self, "_state", state)
        self._state = state
        self._period = period
        # The one attribute that a call reads while all is well.
        self._closed: Period | None = period if state in _PASSING else None
        if state is CLOSED:
            self._last_exception = None
        if old is not state:
            self._news.append((old, state))

    def _tell(self) -> None:
        """Tell of transitions, in their order, outside the lock."""
        news = self._news
        while news:
            try:
                old, new = news.popleft()
            except IndexError:  # another thread was faster
                return
            for hook in self._hooks:
                safely(hook, self, old, new)
            emit("breaker", self.name, _EVENTS.get(new, str(new)), old=str(old), new=str(new))
