"""Runs checks, each in a thread of its own, and gives up on the hung ones.

A check's thread runs it, one run at a time. One more thread, the watch, wakes when the
next run in flight is overdue and counts it as a timeout; nothing is started in its
place. So the number of threads is the number of checks and one, whatever hangs.
"""

from __future__ import annotations

import inspect
import random
import threading
import time
from typing import TYPE_CHECKING, Any

from ._sanitise import describe
from ._status import CheckResult, HealthStatus

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ._state import CheckState

_UNHEALTHY = HealthStatus.UNHEALTHY


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


class Runner:
    """The threads of one `Health`."""

    def __init__(
        self,
        lock: threading.RLock,
        clock: Callable[[], float],
        changed: Callable[[str, HealthStatus | None, HealthStatus | None, str], None],
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
        """Take a check; its thread starts at once where the runner runs. Lock held."""
        self.jobs.append(job)
        if self.running:
            self._launch(job)

    def start(self) -> None:
        """Start the threads; those of an earlier start that still hang are kept. Lock held."""
        self.running = True
        for job in self.jobs:
            self._launch(job)

    def stop(self, timeout: float) -> None:
        """End the threads. Lock not held. A hung one ends when its check returns."""
        with self._lock:
            self.running = False
            for job in self.jobs:
                job.wake.notify_all()
            self._watch_wake.notify_all()
            idle = [job.thread for job in self.jobs if job.state.started_at is None]
            threads = [t for t in [*idle, self._watch] if t and t is not threading.current_thread()]
        deadline = time.monotonic() + timeout
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def replace_lock(self, lock: threading.RLock) -> None:
        """After a fork: none of the parent's threads is here, and the lock may be held."""
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
            name = f"health-check:{job.state.name}"
            job.thread = threading.Thread(target=self._work, args=(job,), name=name, daemon=True)
            job.thread.start()

    def _work(self, job: Job) -> None:
        state = job.state
        caller = _Caller(job.fn, job.loop, state.timeout)
        first = True
        try:
            while True:
                with self._lock:
                    while self.running and (wait := state.next_at - self._clock()) > 0:
                        job.wake.wait(wait)
                    if not self.running:
                        job.thread = None
                        return
                    state.start(self._clock())
                    deadline = state.deadline
                    if deadline is not None and deadline < self._watch_at:
                        self._watch_wake.notify_all()
                result = caller()
                with self._lock:
                    if job.thread is not threading.current_thread():
                        return  # a fork's child has begun anew
                    before, error = state.status, state.error
                    job.runs += not state.given_up
                    state.finish(self._clock(), result)
                    if first:
                        # All begin together; from here on their turns are spread, for
                        # threads that wake together hold up the probes' one.
                        first = False
                        state.next_at -= state.interval * 0.5 * random.random()  # noqa: S311
                    after = state.status
                    job.wake.notify_all()
                self._tell(job, before, error, after)
        finally:
            caller.close()

    def _watch_runs(self) -> None:
        while True:
            late: list[tuple[Job, HealthStatus | None, str]] = []
            with self._lock:
                if not self.running:
                    self._watch = None
                    return
                now = self._clock()
                for job in self.jobs:
                    before = (job, job.state.status, job.state.error)
                    if job.state.give_up(now):
                        job.runs += 1
                        job.wake.notify_all()
                        late.append(before)
                deadlines = [d for job in self.jobs if (d := job.state.deadline) is not None]
                # With nothing in flight a look each second is less work than being woken
                # by every run that begins.
                self._watch_at = min(deadlines, default=now + 1.0)
                if not late:
                    self._watch_wake.wait(max(0.0, self._watch_at - now))
            for job, status, error in late:
                self._tell(job, status, error, job.state.status)

    def _tell(
        self, job: Job, before: HealthStatus | None, _error: str, after: HealthStatus | None
    ) -> None:
        if before is not after:
            self._changed(job.state.name, before, after, job.state.error)


class _Caller:
    """Calls a check, sync or async, and turns whatever happens into a result."""

    def __init__(
        self, fn: Callable[[], Any], loop: asyncio.AbstractEventLoop | None, timeout: float
    ) -> None:
        self._fn = fn
        self._loop = loop
        self._timeout = timeout
        self._runner: asyncio.Runner | None = None

    def __call__(self) -> CheckResult:
        try:
            value = self._fn()
            if inspect.isawaitable(value):
                value = self._await(value)
            return CheckResult.of(value)
        except _OverdueError:
            return CheckResult(_UNHEALTHY, "timeout")
        except BaseException as error:  # noqa: BLE001  a check may raise anything, SystemExit too
            return CheckResult(_UNHEALTHY, describe(error))

    def _await(self, awaitable: Any) -> Any:
        """On the loop that the check belongs to, or on one that lives as long as the thread.

        A client that was made on a loop works only there, and two loops must not share it.
        """
        import asyncio

        body = self._bounded(awaitable)
        if self._loop is None or self._loop.is_closed():
            if self._runner is None:
                self._runner = asyncio.Runner()
            return self._runner.run(body)
        from concurrent.futures import TimeoutError as NotYetError

        future = asyncio.run_coroutine_threadsafe(body, self._loop)
        while True:
            try:
                return future.result(1.0)
            except NotYetError:
                if future.done():
                    raise
                if self._loop.is_closed():
                    body.close()
                    raise RuntimeError("the event loop of this check is closed") from None

    async def _bounded(self, awaitable: Any) -> Any:
        import asyncio

        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await awaitable
        except TimeoutError:
            if limit.expired():
                raise _OverdueError from None
            raise

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()


class _OverdueError(Exception):
    """An async check was cancelled at its timeout."""
