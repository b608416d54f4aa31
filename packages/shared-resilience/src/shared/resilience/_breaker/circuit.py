"""The state machine of a circuit breaker."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from shared.core import forks

from .._base.errors import of_the_call
from .._base.exceptions import matcher
from .._base.windows import CountedCalls, TimedCalls
from .._events.event import safely
from .._events.telemetry import emit
from .config import CircuitBreakerConfig, CircuitState, CountWindow, TimeWindow
from .permit import NO_RESULT, CircuitBreakerMetrics, Period, Permit

Hook: TypeAlias = Callable[[CircuitState, CircuitState], object]

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


class Circuit:
    """The states and what changes them; a breaker runs calls through it.

    A call that goes through unasked, or the permit of one that asked, ends in `succeed`,
    `judge_success`, `fail` or `release`.

    Attributes:
        closed: The current period while calls go through unasked, else `None`: the one attribute
            that a call reads while all is well.
    """

    closed: Period | None

    def __init__(self, name: str, config: CircuitBreakerConfig, clock: Callable[[], float]) -> None:
        self.name = name
        self.config = config
        self._clock = clock
        self._records = matcher(config.exceptions, if_broken=True)
        self._ignores = matcher(config.ignore) if config.ignore != () else None
        self._slow = config.slow_call_duration
        self._minimum = config.minimum_calls
        if isinstance(config.window, CountWindow):
            self._minimum = min(self._minimum, config.window.size)
        # Reentrant: collecting a dropped permit may run anywhere, also in here.
        self._lock = threading.RLock()
        self._hooks: tuple[Hook, ...] = ()
        self._changes: deque[tuple[CircuitState, CircuitState]] = deque()
        self._rejected = 0
        self._opened = 0
        self._until = 0.0
        self.last_exception: BaseException | None = None
        self._enter(CLOSED)
        forks.renew(self)

    def renew_after_fork(self) -> None:
        """Go on from the parent's state in a child; the parent's probes end in the parent."""
        self._lock = threading.RLock()
        self._changes.clear()
        if self._state is HALF_OPEN:
            self._enter(HALF_OPEN)
        # Another thread may have been between two lines of `_enter`.
        self.closed = self._period if self._state in _PASSING else None

    def state(self) -> CircuitState:
        """Return the state. An open circuit whose timeout is over is half-open."""
        with self._lock:
            if self._state is OPEN and self._clock() >= self._until:
                return HALF_OPEN
            return self._state

    def metrics(self) -> CircuitBreakerMetrics:
        """Return a snapshot of what the circuit saw."""
        with self._lock:
            period, state = self._period, self.state()
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

    def refusal(self) -> tuple[CircuitState, float | None, BaseException | None]:
        """Return the state, the seconds until a probe may go, and the failure that opened it."""
        with self._lock:
            state = self.state()
            wait = max(0.0, self._until - self._clock()) if state is OPEN else None
            return state, wait, self.last_exception

    def listen(self, hook: Hook) -> None:
        """Have a hook called with the old and the new state after every change."""
        with self._lock:
            self._hooks += (hook,)

    def force(self, state: CircuitState) -> None:
        """Enter a state and forget all counts."""
        with self._lock:
            self._enter(state)
        self._announce()

    def admit(self) -> Permit | None:
        """Return a permit, or `None` if the circuit rejects the call."""
        try:
            return self._permit()
        finally:
            self._announce()

    def _permit(self) -> Permit | None:
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

    def started(self) -> float:
        """Return when a call starts, if its duration matters."""
        return self._clock() if self._slow is not None else 0.0

    def succeed(self, period: Period, started: float, result: Any) -> None:
        """Count a call that returned: as a success, unless its result or duration tells otherwise."""
        judge = self.config.record_result
        if judge is not None and result is not NO_RESULT:
            try:
                failed = judge(result)
            except BaseException:
                self.release(period)
                raise
            if failed:
                self._count(period, started, _FAILED, None)
                return
        self._count(period, started, 0, None)

    def fail(self, period: Period, started: float, exc: BaseException | None) -> None:
        """Count a call that raised: as a failure, as an answer, or as nothing."""
        failed = True
        if exc is not None:
            if not of_the_call(exc):
                self.release(period)
                return
            try:
                ignored = self._ignores is not None and self._ignores(exc)
                failed = not ignored and self._records(exc)
            except BaseException:
                self.release(period)
                raise
            if ignored:
                self.release(period)
                return
        self._count(period, started, _FAILED if failed else 0, exc)

    def release(self, period: Period) -> None:
        """Free a probe's place, and count nothing."""
        with self._lock:
            if period is self._period and self._state is HALF_OPEN:
                period.probes -= 1

    def judge_success(self, period: Period) -> None:
        """Judge again: a call that went through unasked succeeded after failures."""
        with self._lock:
            if period is not self._period:
                return
            if period.window is None:
                period.failures = 0
            else:
                self._judge(period, None)
        self._announce()

    def _count(
        self, period: Period, started: float, outcome: int, exc: BaseException | None
    ) -> None:
        if self._slow is not None and self._clock() - started >= self._slow:
            outcome |= _SLOW
        with self._lock:
            if period is not self._period:
                return  # it started before the last transition: it does not count in this period
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
        self._announce()

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

    def _open(self, exc: BaseException | None) -> None:
        self._until = self._clock() + self.config.timeout
        self.last_exception = exc
        self._opened += 1
        self._enter(OPEN)

    def _enter(self, state: CircuitState) -> None:
        """Start a new period. The lock is held; `_announce` is called after it is released."""
        window: CountedCalls | TimedCalls | None = None
        if isinstance(self.config.window, CountWindow):
            window = CountedCalls(self.config.window.size)
        elif isinstance(self.config.window, TimeWindow):
            window = TimedCalls(self.config.window.seconds, self._clock)
        period = Period(window)
        old = getattr(self, "_state", state)
        self._state = state
        self._period = period
        self.closed = period if state in _PASSING else None
        if state is CLOSED:
            self.last_exception = None
        if old is not state:
            self._changes.append((old, state))

    def _announce(self) -> None:
        """Pass transitions to hooks and listeners, in their order, outside the lock."""
        changes = self._changes
        while changes:
            try:
                old, new = changes.popleft()
            except IndexError:  # another thread was faster
                return
            for hook in self._hooks:
                safely(hook, old, new)
            emit("breaker", self.name, _EVENTS.get(new, str(new)), old=str(old), new=str(new))
