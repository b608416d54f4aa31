"""Runs checks, each in its own thread, and gives up on the hung ones.

A check's thread runs it, one run at a time. One more thread, the watch, wakes when the
next run in flight is overdue and counts it as a timeout; nothing is started in its
place. So the number of threads is the number of checks plus one, no matter what hangs.
"""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

from shared.core.loops import Awaiter

from .._base.status import CheckResult, HealthStatus
from .._base.text import describe
from .._base.times import limit

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .state import CheckState


FIRST_RESULTS = 0.75
"""Seconds for which a probe waits for the first result of a check that was just started."""


class Job:
    """A check, its state and the thread that runs it."""

    def __init__(
        self,
        state: CheckState,
        fn: Callable[[], Any],
        initial_delay: float,
        loop: asyncio.AbstractEventLoop | None,
        lock: threading.RLock,
    ) -> None:
        self.state = state
        self.fn = fn
        self.initial_delay = initial_delay
        self.loop = loop
        self.wake = threading.Condition(lock)
        self.thread: threading.Thread | None = None
        self.runs = 0
        self.removed = False
        self.awaited_until = 0.0

    def gone(self, thread: threading.Thread) -> bool:
        """Whether a run in this thread counts no more: removed, or a fork has started again."""
        return self.removed or self.thread is not thread


class Runner:
    """The threads of one `Health`."""

    def __init__(
        self,
        lock: threading.RLock,
        clock: Callable[[], float],
        changed: Callable[[str, HealthStatus | None, HealthStatus, str], None],
    ) -> None:
        self._lock = lock
        self._clock = clock
        self._changed = changed
        self._watch_wake = threading.Condition(lock)
        self._watch_at = float("inf")
        self._watch: threading.Thread | None = None
        self.jobs: list[Job] = []
        self.running = False

    def add(self, job: Job) -> None:
        """Add a check; its thread starts at once if the runner is running. Lock held."""
        self.jobs.append(job)
        if self.running:
            self._launch(job)

    def remove(self, state: object) -> None:
        """Remove the check that has this state, if one has. Lock held."""
        for job in [job for job in self.jobs if job.state is state]:
            self.jobs.remove(job)
            job.removed = True
            job.wake.notify_all()

    def start(self) -> None:
        """Start the threads; those of an earlier start that still hang are kept. Lock held."""
        self.running = True
        for job in self.jobs:
            self._launch(job)

    def stop(self, timeout: float) -> None:
        """End the threads. Lock not held. A hung thread ends when its check returns."""
        with self._lock:
            self.running = False
            for job in self.jobs:
                job.wake.notify_all()
            self._watch_wake.notify_all()
            idle = [job.thread for job in self.jobs if job.state.started_at is None]
            threads = [t for t in [*idle, self._watch] if t and t is not threading.current_thread()]
        deadline = time.monotonic() + timeout
        for thread in threads:
            thread.join(limit(deadline - time.monotonic()))

    def replace_lock(self, lock: threading.RLock) -> None:
        """Start again after a fork: without the parent's threads, one of which may hold the lock."""
        self._lock = lock
        self._watch_wake = threading.Condition(lock)
        self._watch_at = float("inf")
        self.running = False
        self._watch = None
        for job in self.jobs:
            job.wake = threading.Condition(lock)
            job.thread = None
            job.state.started_at = None
            job.state.given_up = 0

    def poke(self) -> list[tuple[Job, int]]:
        """Make every idle check due now; return what to wait for. Lock held.

        A run in flight will do. One that was given up is not waited for.
        """
        for job in self.jobs:
            if job.state.started_at is None:
                job.state.next_at = self._clock()
                job.wake.notify_all()
        return [(job, job.runs) for job in self.jobs if not job.state.given_up]

    def _launch(self, job: Job) -> None:
        if self._watch is None:
            self._watch = threading.Thread(
                target=self._watch_runs, name="health-watch", daemon=True
            )
            self._watch.start()
        if job.thread is None:
            job.state.next_at = self._clock() + job.initial_delay
            if not job.initial_delay:
                job.awaited_until = time.monotonic() + FIRST_RESULTS
            name = f"health-check:{job.state.name}"
            job.thread = threading.Thread(target=self._work, args=(job,), name=name, daemon=True)
            job.thread.start()

    def _work(self, job: Job) -> None:
        state = job.state
        awaiter = Awaiter(job.loop)
        first = True
        try:
            while True:
                with self._lock:
                    while (
                        self.running
                        and not job.removed
                        and (wait := state.next_at - self._clock()) > 0
                    ):
                        job.wake.wait(limit(wait))
                    if not self.running or job.removed:
                        job.thread = None
                        return
                    state.start(self._clock())
                    deadline = state.deadline
                    if deadline is not None and deadline < self._watch_at:
                        self._watch_wake.notify_all()
                result = _call(job.fn, awaiter, state.timeout)
                with self._lock:
                    if job.gone(threading.current_thread()):
                        return
                    before = state.status
                    job.runs += not state.given_up
                    state.finish(self._clock(), result)
                    if first:
                        # All start together. From here on their turns are spread: threads
                        # that wake at the same time would delay the one that answers probes.
                        first = False
                        state.next_at -= state.interval * 0.5 * random.random()  # noqa: S311 - not a secret
                    after = state.status
                    job.wake.notify_all()
                self._report(job, before, after)
        finally:
            awaiter.close()

    def _watch_runs(self) -> None:
        while True:
            late: list[tuple[Job, HealthStatus | None]] = []
            with self._lock:
                if not self.running:
                    self._watch = None
                    return
                now = self._clock()
                for job in self.jobs:
                    before = (job, job.state.status)
                    if job.state.give_up(now):
                        job.runs += 1
                        job.wake.notify_all()
                        late.append(before)
                deadlines = [d for job in self.jobs if (d := job.state.deadline) is not None]
                # With nothing in flight, one look per second is less work than being woken
                # by every run that starts.
                self._watch_at = min(deadlines, default=now + 1.0)
                if not late:
                    self._watch_wake.wait(limit(self._watch_at - now))
            for job, status in late:
                self._report(job, status, job.state.status)

    def _report(self, job: Job, before: HealthStatus | None, after: HealthStatus | None) -> None:
        if after is not None and after is not before:
            self._changed(job.state.name, before, after, job.state.error)


def _call(fn: Callable[[], Any], awaiter: Awaiter, timeout: float) -> CheckResult:
    """Call a check, sync or async, and turn the outcome into a result.

    An async one is awaited on the loop that it belongs to, or on one that lives as long as
    the thread: a client that was made on a loop works only there.
    """
    try:
        value = fn()
        if hasattr(value, "__await__"):
            value = awaiter.run(_bounded(value, timeout))
        return CheckResult.of(value)
    except _OverdueError:
        return CheckResult(HealthStatus.UNHEALTHY, "timeout")
    except BaseException as error:  # noqa: BLE001 - a check may raise anything, SystemExit too
        return CheckResult(HealthStatus.UNHEALTHY, describe(error))


async def _bounded(awaitable: Any, timeout: float) -> Any:  # noqa: ASYNC109 - its expiry is distinguished
    import asyncio

    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            return await awaitable
    except TimeoutError:
        if limit.expired():
            raise _OverdueError from None
        raise


class _OverdueError(Exception):
    """An async check was cancelled at its timeout."""
