"""The order of a shutdown: fail readiness, keep serving, finish the work, run the hooks.

A coordinator thread does it all. A signal handler may run between any two bytecodes of
the main thread, so it only puts the signal into a queue that is safe there: it can
neither deadlock on a lock that the main thread holds nor be delayed by the main loop.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from contextlib import asynccontextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, overload

from shared.core import checks
from shared.core.callables import kind_of
from shared.core.forks import renew

from .hooks import Hook, HookFailure, Run, ShutdownReport, log, made_hook
from .servers import stopper_of
from .systemd import sd_notify, watchdog_interval
from .times import limit
from .work import Tracked, Work

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta
    from types import FrameType

    F = TypeVar("F", bound=Callable[..., Any])

DOUBLE = 0.05
"""Two signals closer than this, in seconds, are one: a supervisor and its whole process
group are often signalled together, and the supervisor passes it on."""


class GracefulShutdown:
    """Ends a service so that no request is lost.

    On SIGTERM, SIGINT or `trigger`: the `on_drain` functions run at once; for
    `drain_delay` seconds everything goes on as before while no new work is sent here;
    work inside `track` is waited for; the `on_shutdown` hooks run one after the other.
    A second signal ends the process at once with status 128 + its number.

    Args:
        drain_delay: Seconds (or a `timedelta`, as for every time) to go on serving after readiness failed: as long as the
            load balancers need to notice.
        hook_timeout: Seconds for one hook; inf: no limit.
        total_timeout: Seconds for everything, from the signal on; less than the
            supervisor's grace period (`terminationGracePeriodSeconds` is 30). A part is
            reserved for the remaining hooks, no matter what hangs before them. inf: no limit,
            for those that stop a service by hand; a second signal still ends it.
        signals: The signals to handle; if omitted, SIGTERM and SIGINT.
        watchdog: Called before each `WATCHDOG=1` to systemd; if it returns False, none is
            sent, and systemd restarts the service.

    Raises:
        ValueError: A time is negative or NaN, or the drain leaves nothing of the total.
        TypeError: A time is not a number, or `watchdog` is not a plain function.

    Example:
        >>> shutdown = GracefulShutdown(drain_delay=0)
        >>> @shutdown.on_shutdown
        ... def close_database():
        ...     print("closed")
        >>> shutdown.trigger("example")
        >>> shutdown.join().reason
        closed
        'example'
    """

    def __init__(
        self,
        drain_delay: float | timedelta = 5.0,
        hook_timeout: float | timedelta = 10.0,
        *,
        total_timeout: float | timedelta = 25.0,
        signals: tuple[int, ...] = (signal.SIGTERM, signal.SIGINT),
        watchdog: Callable[[], bool] | None = None,
    ) -> None:
        self.drain_delay: float = checks.seconds("drain_delay", drain_delay)
        self.hook_timeout: float = checks.seconds(
            "hook_timeout", hook_timeout, above=0, unlimited=True
        )
        self.total_timeout: float = checks.seconds(
            "total_timeout", total_timeout, above=0, unlimited=True
        )
        if self.drain_delay >= self.total_timeout:
            allowed = (
                f"less than total_timeout, {self.total_timeout:g}: the rest is for work and hooks"
            )
            raise checks.refuse("drain_delay", allowed, drain_delay)
        self._signals = signals
        checks.function("watchdog", watchdog, optional=True)
        if watchdog is not None and kind_of(watchdog) != "sync":
            raise checks.refuse("watchdog", "a plain function", watchdog, TypeError)
        self._watchdog = watchdog
        self._hooks: list[Hook] = []
        self._drain_hooks: list[Hook] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._previous: dict[int, Any] = {}
        self._first_signal: float | None = None
        self._ready_sent = False
        self._work = Work()
        self._reset()
        renew(self)

    def renew_after_fork(self) -> None:
        """In a child: nothing is requested or in progress, and the signals are not ours.

        They would be ignored: what acts on them is a thread of the parent.
        """
        self._work = Work()
        self._reset()
        with suppress(ValueError):  # not an interpreter that may handle signals
            self._restore_signals()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._inbox: SimpleQueue[tuple[str, float]] = SimpleQueue()
        self._coordinator: threading.Thread | None = None
        self._requested = threading.Event()
        self._done = threading.Event()
        self._report: ShutdownReport | None = None
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None], bool]] = []
        self._serving = False
        self._server_stopped = threading.Event()
        self._first_signal = None

    # -- registering ----------------------------------------------------------------

    @overload
    def on_shutdown(
        self, fn: F, /, *, priority: int = 0, timeout: float | timedelta | None = None
    ) -> F: ...
    @overload
    def on_shutdown(
        self, fn: None = None, /, *, priority: int = 0, timeout: float | timedelta | None = None
    ) -> Callable[[F], F]: ...
    def on_shutdown(
        self, fn: Any = None, /, *, priority: int = 0, timeout: float | timedelta | None = None
    ) -> Any:
        """Register a hook; a decorator, with or without arguments, or a plain call.

        Hooks of higher priority run first; of the same priority, the last registered
        first. A sync hook runs in a thread, an async one on the service's loop.

        Args:
            fn: Called without arguments.
            priority: Higher runs earlier.
            timeout: Seconds for this hook instead of `hook_timeout`; inf: no limit.

        Raises:
            TypeError: `fn` needs arguments, yields, or cannot be called.
        """
        if timeout is not None:
            timeout = checks.seconds("timeout", timeout, above=0, unlimited=True)

        def register(fn: F) -> F:
            hook = made_hook("a shutdown hook", fn, priority, timeout)
            with self._lock:
                self._hooks.append(hook)
            return fn

        return register if fn is None else register(fn)

    def on_drain(self, fn: F) -> F:
        """Register what runs first, at once: `shutdown.on_drain(health.start_draining)`.

        All of them start together. One with a parameter called `seconds` receives the
        drain delay.
        """
        hook = made_hook("a drain function", fn, seconds=True)
        with self._lock:
            self._drain_hooks.append(hook)
        return fn

    def track(self) -> Tracked:
        """Return a context manager, sync and async, for work that must not be cut off."""
        return Tracked(self._work)

    # -- requesting it --------------------------------------------------------------

    def trigger(self, reason: str = "trigger") -> None:
        """Start the shutdown and return at once. From any thread; harmless if it has started."""
        self._request(reason, self.drain_delay)

    def _request(self, reason: str, drain_delay: float) -> None:
        self._launch()
        self._inbox.put((reason, drain_delay))

    def _launch(self) -> None:
        """Start the coordinator here, since a signal handler must not start a thread."""
        with self._lock:
            if self._coordinator is None:
                self._coordinator = threading.Thread(
                    target=self._coordinate, name="shutdown", daemon=True
                )
                self._coordinator.start()

    def install(self) -> None:
        """Handle the signals from now on; the waiting methods call this.

        Raises:
            RuntimeError: This is not the main thread; Python handles signals only there.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(
                "signals can only be handled from the main thread of the process: call install() "
                "there first, or end this service with trigger()"
            )
        self._launch()
        for number in self._signals:
            if number not in self._previous:
                self._previous[number] = signal.signal(number, self._on_signal)

    def uninstall(self) -> None:
        """Restore the signal handlers from before `install`."""
        if threading.current_thread() is threading.main_thread():
            self._restore_signals()

    def _restore_signals(self) -> None:
        while self._previous:
            number, handler = self._previous.popitem()
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first_signal is None:
            self._first_signal = now
            self._inbox.put((signal.Signals(number).name, self.drain_delay))
        elif now - self._first_signal > DOUBLE:
            os.write(2, b"second signal: exit at once\n")
            os._exit(128 + number)

    # -- waiting --------------------------------------------------------------------

    @property
    def requested(self) -> bool:
        """Whether a shutdown has started: a loop that accepts new work should end."""
        return self._requested.is_set()

    @property
    def in_flight(self) -> int:
        """The number of pieces of tracked work in progress."""
        return self._work.count

    def sleep(self, seconds: float | timedelta) -> bool:
        """Sleep, but wake when a shutdown starts; return whether one has."""
        return self._requested.wait(limit(checks.seconds("seconds", seconds, unlimited=True)))

    async def asleep(self, seconds: float | timedelta) -> bool:
        """Sleep in an event loop, but wake when a shutdown starts; return whether one has."""
        import asyncio

        until = limit(checks.seconds("seconds", seconds, unlimited=True))
        try:
            async with asyncio.timeout(until):
                await self._until(requested=True)
        except TimeoutError:
            pass
        return self.requested

    def wait_for_signal(self) -> ShutdownReport:
        """Block the main thread until the whole shutdown is done.

        Returns:
            The report. The process ends with status 0 when your main function ends after
            this, or with `sys.exit(report.exit_code)`.

        Raises:
            RuntimeError: This is not the main thread and `install` was not called there.
        """
        if not self._previous:
            self.install()
        self.notify_ready()
        try:
            return self.join()
        finally:
            self.uninstall()

    def join(self) -> ShutdownReport:
        """Block until a shutdown is done, however it was requested. From any thread."""
        self._done.wait()
        assert self._report is not None
        return self._report

    async def wait(self) -> ShutdownReport:
        """Wait in an event loop until the whole shutdown is done.

        Handles the signals in the main thread; in others, `trigger` starts the shutdown.
        Async hooks run on this loop.
        """
        import asyncio

        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            self.install()
        else:
            self._launch()
        self.notify_ready()
        try:
            await self._until(requested=False)
        finally:
            self.uninstall()
        assert self._report is not None
        return self._report

    async def _until(self, *, requested: bool) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        waiter = (loop, future, requested)
        with self._lock:
            event = self._requested if requested else self._done
            if event.is_set():
                return
            self._waiters.append(waiter)
        try:
            await future
        finally:
            with self._lock:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)

    def _announce(self, event: threading.Event, *, requested: bool) -> None:
        with self._lock:
            event.set()
            woken = [waiter for waiter in self._waiters if waiter[2] is requested]
            self._waiters = [waiter for waiter in self._waiters if waiter[2] is not requested]
        for loop, future, _ in woken:
            with suppress(RuntimeError):  # that loop is closed: nothing waits there any more
                loop.call_soon_threadsafe(_wake, future)

    def lifespan(self, _app: object = None) -> AbstractAsyncContextManager[None]:
        """Run a Starlette or FastAPI application: `Starlette(lifespan=shutdown.lifespan)`.

        Under uvicorn (also as gunicorn's worker) the signals come here first: readiness
        fails, uvicorn goes on serving for the drain delay, then it is stopped, completes
        the requests in progress, and the hooks run. The process exits with status 0.
        """
        return self._lifespan()

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        import asyncio

        if self._done.is_set():
            self._reset()  # an application that is started again, such as in tests
        self._loop = asyncio.get_running_loop()
        self._server_stopped.clear()
        self._serving = True
        if threading.current_thread() is threading.main_thread():
            self.install()
        self.notify_ready()
        try:
            yield
        finally:
            self._server_stopped.set()
            if not self.requested:
                # The server stopped on its own: there is nothing left to drain.
                self._request("server stopped", 0.0)
            await self._until(requested=False)
            self._serving = False
            self.uninstall()

    def notify_ready(self) -> None:
        """Report to systemd that the service is up; the waiting methods call this."""
        if not self._ready_sent:
            self._ready_sent = sd_notify("READY=1")

    # -- the shutdown itself --------------------------------------------------------

    def _next_request(self) -> tuple[str, float]:
        interval = watchdog_interval()
        while True:
            try:
                return self._inbox.get(timeout=interval)
            except Empty:
                if self._is_well():
                    sd_notify("WATCHDOG=1")

    def _is_well(self) -> bool:
        try:
            return self._watchdog is None or self._watchdog()
        except Exception:  # noqa: BLE001 - whatever it raises
            # This thread acts on the signals: it must live.
            log().exception("the watchdog function failed")
            return False

    def _coordinate(self) -> None:
        reason, drain_delay = self._next_request()
        start = time.monotonic()
        deadline = start + self.total_timeout
        drains = [Run(hook, self._loop, drain_delay) for hook in list(self._drain_hooks)]
        self._announce(self._requested, requested=True)
        sd_notify("STOPPING=1")
        log().info("shutdown requested: %s", reason)
        threading.Event().wait(limit(start + drain_delay - time.monotonic()))

        # A fifth of the total is reserved for the hooks, however long the work takes.
        unlimited = self.total_timeout == math.inf
        reserved = 0.0 if unlimited else min(self.hook_timeout, self.total_timeout / 5)
        work_until = deadline - reserved
        serving = self._serving
        stop_server = stopper_of(self._previous, self._loop if serving else None)
        if stop_server is not None:
            stop_server(force=False)
        self._work.wait(work_until - time.monotonic())
        if serving and stop_server is not None:
            self._server_stopped.wait(limit(work_until - time.monotonic()))

        failures = [run.wait(min(self.hook_timeout, 1.0)) for run in drains]
        failures += self._run_hooks(deadline)
        unfinished = self._work.count
        if unfinished:
            log().error("shutdown cut off %d pieces of work", unfinished)
        hung = serving and stop_server is not None and not self._server_stopped.is_set()
        if hung:
            log().error("shutdown cut off the requests of the server")
            unfinished = max(unfinished, 1)
        self._report = ShutdownReport(
            reason, time.monotonic() - start, tuple(f for f in failures if f), unfinished
        )
        self._announce(self._done, requested=False)
        if hung and stop_server is not None:
            stop_server(force=True)

    def _run_hooks(self, deadline: float) -> list[HookFailure | None]:
        results = []
        # A hook that hangs must leave time for the rest: each of those keeps a slice.
        left = list(self._hooks)
        total = 0.0 if self.total_timeout == math.inf else self.total_timeout
        slice_ = min(total / 20, total / 2 / max(1, len(left)))
        while left:
            index = max(range(len(left)), key=lambda i: (left[i].priority, i))
            hook = left.pop(index)
            allowed = deadline - time.monotonic() - slice_ * len(left)
            timeout = self.hook_timeout if hook.timeout is None else hook.timeout
            results.append(Run(hook, self._loop).wait(min(timeout, max(allowed, slice_ / 2))))
        return results


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
