"""The bookkeeping of one check: thresholds, ages, history. It has no thread and no clock."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from shared.core.redaction import one_line

from .._base.status import CheckResult, HealthStatus

HISTORY = 60
"""Results that the sparkline shows."""


class CheckView(NamedTuple):
    """The state of one check when it was read. Times are seconds ago; None: never.

    `status` is None until the first verdict. `error` is the message of the last
    result that was not healthy, empty after a healthy one.
    """

    name: str
    groups: tuple[str, ...]
    critical: bool
    status: HealthStatus | None
    error: str
    latency: float | None
    history: tuple[tuple[float, HealthStatus], ...]
    checked_ago: float | None
    succeeded_ago: float | None
    failed_ago: float | None
    failures: int

    @property
    def verdict(self) -> HealthStatus:
        """What the check means for its groups: no verdict yet is UNHEALTHY, if critical."""
        status = self.status or HealthStatus.UNHEALTHY
        return status if self.critical or status.ok else HealthStatus.DEGRADED


class CheckState:
    """Counts results against the thresholds; the time is an argument of every method.

    A check that never passed is UNHEALTHY at its first failure; later it takes
    `fail_after` failures in a row, and `pass_after` passes to come back.
    """

    __slots__ = (
        "critical",
        "error",
        "fail_after",
        "failed_at",
        "failures",
        "given_up",
        "groups",
        "history",
        "interval",
        "name",
        "next_at",
        "pass_after",
        "passes",
        "recorded_at",
        "stale_after",
        "started_at",
        "status",
        "succeeded_at",
        "timeout",
    )

    def __init__(
        self,
        name: str,
        *,
        groups: tuple[str, ...] = ("ready",),
        critical: bool = True,
        timeout: float = 1.0,
        interval: float = 10.0,
        fail_after: int = 3,
        pass_after: int = 1,
        stale_after: float | None = None,
    ) -> None:
        self.name = name
        self.groups = groups
        self.critical = critical
        self.timeout = timeout
        self.interval = interval
        self.fail_after = fail_after
        self.pass_after = pass_after
        self.stale_after = stale_after
        self.status: HealthStatus | None = None
        self.error = ""
        self.failures = 0
        self.passes = 0
        self.next_at = 0.0
        self.started_at: float | None = None
        self.given_up = 0  # failures already counted for the run in flight
        self.recorded_at: float | None = None
        self.succeeded_at: float | None = None
        self.failed_at: float | None = None
        self.history: deque[tuple[float, HealthStatus]] = deque(maxlen=HISTORY)

    def start(self, now: float) -> None:
        """Note the start of a run."""
        self.started_at = now
        self.given_up = 0

    @property
    def deadline(self) -> float | None:
        """When the run in flight counts as the next failure; None if none is in flight.

        First after the timeout, then once per interval: as often as runs would have failed.
        """
        if self.started_at is None:
            return None
        return self.started_at + self.timeout + self.given_up * self.interval

    def give_up(self, now: float) -> bool:
        """Count the run in flight as a timeout if it is overdue; return whether it was."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return False
        self.given_up += 1
        self._record(now, CheckResult(HealthStatus.UNHEALTHY, "timeout"), self.timeout)
        return True

    def finish(self, now: float, result: CheckResult) -> None:
        """Record the result of the run in flight, unless it was already given up."""
        started = now if self.started_at is None else self.started_at
        late = self.given_up > 0 or now >= started + self.timeout
        if late and not self.given_up:
            result = CheckResult(HealthStatus.UNHEALTHY, "timeout")
        if not self.given_up:
            self._record(now, result, now - started)
        self.started_at = None
        self.given_up = 0
        # A fixed rate that never piles up: a run that took too long is followed at once.
        self.next_at = max(started + self.interval, now)

    def _record(self, now: float, result: CheckResult, latency: float) -> None:
        status, message = result
        self.history.append((latency, status))
        self.recorded_at = now
        self.error = "" if status is HealthStatus.HEALTHY else one_line(message)
        if status.ok:
            self.failures = 0
            self.passes += 1
            self.succeeded_at = now
            if (self.status is not None and self.status.ok) or self.passes >= self.pass_after:
                self.status = status
        else:
            self.passes = 0
            self.failures += 1
            self.failed_at = now
            if self.status is None or self.failures >= self.fail_after:
                self.status = HealthStatus.UNHEALTHY

    def view(self, now: float) -> CheckView:
        """Return the current state of the check."""
        status, error = self.status, self.error
        if (
            self.stale_after is not None
            and self.recorded_at is not None
            and now - self.recorded_at > self.stale_after
        ):
            status = HealthStatus.UNHEALTHY
            error = f"stale: no result for {now - self.recorded_at:.1f} s"

        def ago(then: float | None) -> float | None:
            return None if then is None else max(0.0, now - then)

        return CheckView(
            self.name,
            self.groups,
            self.critical,
            status,
            error,
            self.history[-1][0] if self.history else None,
            tuple(self.history),
            ago(self.recorded_at),
            ago(self.succeeded_at),
            ago(self.failed_at),
            self.failures,
        )
