"""The registry of checks and the state of the service: what every probe reads."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from ._runner import Job, Runner
from ._sanitise import sanitise
from ._state import CheckState, CheckView
from ._status import HealthCheck, HealthStatus
from ._vitals import Vital

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from ._apps import ASGIApp, WSGIApp

    F = TypeVar("F", bound="Callable[[], Any]")

logger = logging.getLogger("shared.health")

_RESERVED = {"live", "ready", "startup"}


class Report(NamedTuple):
    """A group as it stood when it was read; the group ``""`` is the whole service."""

    group: str
    status: HealthStatus
    state: str
    """``starting``, ``running``, ``draining`` or ``failed``."""
    reason: str
    drain_left: float | None
    checks: tuple[CheckView, ...]


class Health:
    """The checks of a service and what its probes answer.

    Args:
        service: the name on the status page and in the answers.
        version: the version of the service.
        token: who sends it as ``Authorization: Bearer ...`` may see details from
            anywhere. Without one, details are for loopback alone.
        started: pass False to keep `/health/startup` and `/health/ready` failing
            until `mark_started` is called, whatever the checks say.
        clock: seconds that never jump.

    Example:
        >>> health = Health("orders", "1.4.0")
        >>> health.add("answer", lambda: 6 * 7 == 42, interval=5)
        >>> with health:
        ...     health.refresh()
        ...     health.report("ready").status.value
        'healthy'
    """

    def __init__(
        self,
        service: str = "service",
        version: str = "",
        *,
        token: str | None = None,
        started: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if token is not None and not token.strip():
            raise ValueError("token must not be empty; leave it out for details on loopback alone")
        self.service = service
        self.version = version
        self._token = token
        self._clock = clock
        self._lock = threading.RLock()
        self._runner = Runner(self._lock, clock, self._status_changed)
        self._states: dict[str, CheckState | tuple[CheckState, Vital]] = {}
        self._listeners: list[Callable[[str, HealthStatus | None, HealthStatus], object]] = []
        self._may_start = started
        self._was_started = False
        self._draining = False
        self._drain_until: float | None = None
        self._failure = ""
        _EVERY.add(self)

    # -- checks ---------------------------------------------------------------------

    def add(
        self,
        name: str,
        fn: Callable[[], Any] | HealthCheck | Vital,
        groups: Iterable[str] | None = None,
        critical: bool = True,
        timeout: float = 1.0,
        interval: float = 10.0,
        initial_delay: float = 0.0,
        fail_after: int = 3,
        pass_after: int = 1,
        stale_after: float | None = None,
        *,
        allow_dependency: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Add a check; it may be added while the service runs.

        Args:
            name: unique in this `Health`.
            fn: called without arguments, sync or async; what it may return says
                `CheckResult.of`, and raising is UNHEALTHY. A `Heartbeat` or an
                `EventLoopLag` is read by each probe and never run: of the rest,
                only `groups` and `critical` count for it.
            groups: the probes that look at it: ``ready``, ``live``, ``startup`` or names
                of your own. ``("ready",)`` where not given; for a sign of life
                ``("live", "ready")``.
            critical: False: its failure makes the group DEGRADED, not UNHEALTHY.
            timeout: seconds for one run; a run that takes longer failed with ``timeout``.
            interval: seconds from the start of one run to the next.
            initial_delay: seconds before the first run.
            fail_after: failures in a row that turn a check that passed before.
            pass_after: passes in a row that turn it back.
            stale_after: seconds after which the last result does not count any more.
            allow_dependency: allow a check in ``live`` that looks outside this process.
                A restart does not cure a dependency: where it is down, every pod of the
                service is restarted for nothing.
            loop: the event loop that an async check runs on; the running one where not
                given; a private one where none runs.

        Raises:
            ValueError: the name is taken or a number out of its range, a group is no
                plain word, or a dependency was added to ``live``.
            TypeError: `fn` cannot be called, or `groups` is a string.
        """
        vital = isinstance(fn, Vital)
        if groups is None:
            groups = ("live", "ready") if vital else ("ready",)
        groups = _valid_groups(groups)
        _valid_name(name)
        if isinstance(fn, HealthCheck):
            fn = fn.check
        if not vital and not callable(fn):
            raise TypeError(f"the check {name!r} must be callable, not {type(fn).__name__}")
        if "live" in groups and not vital and not allow_dependency:
            raise ValueError(
                f"the check {name!r} must not be in 'live': a restart does not cure a dependency. "
                "Use 'ready', a Heartbeat or an EventLoopLag, or pass allow_dependency=True"
            )
        _positive("timeout", timeout)
        _positive("interval", interval)
        if stale_after is not None:
            _positive("stale_after", stale_after)
        if not initial_delay >= 0:
            raise ValueError(f"initial_delay must be 0 s or more, not {initial_delay!r}")
        for argument, count in (("fail_after", fail_after), ("pass_after", pass_after)):
            _at_least_one(argument, count)
        state = CheckState(
            name,
            groups=groups,
            critical=critical,
            timeout=timeout,
            interval=interval,
            fail_after=fail_after,
            pass_after=pass_after,
            stale_after=stale_after,
        )
        with self._lock:
            if name in self._states:
                raise ValueError(f"a check named {name!r} is there already")
            if isinstance(fn, Vital):
                self._states[name] = (state, fn)
            else:
                self._states[name] = state
                self._runner.add(Job(state, fn, initial_delay, loop or _running_loop(), self._lock))

    def add_check(self, check: HealthCheck) -> None:
        """Add a `HealthCheck` with the settings and the name that its class states."""
        self.add(
            check.check_name(),
            check,
            groups=check.groups,
            critical=check.critical,
            timeout=check.timeout,
            interval=check.interval,
            initial_delay=check.initial_delay,
            fail_after=check.fail_after,
            pass_after=check.pass_after,
            stale_after=check.stale_after,
        )

    @overload
    def check(self, name: F) -> F: ...
    @overload
    def check(self, name: str | None = None, **settings: Any) -> Callable[[F], F]: ...
    def check(self, name: Any = None, **settings: Any) -> Any:
        """Decorate a function as a check; takes the settings of `add`.

        Example:
            >>> health = Health("orders")
            >>> @health.check("cache", critical=False)
            ... def cache() -> bool:
            ...     return True
        """
        if callable(name):
            self.add(name.__name__, name)
            return name

        def decorate(fn: F) -> F:
            self.add(name or fn.__name__, fn, **settings)
            return fn

        return decorate

    def on_change(self, fn: Callable[[str, HealthStatus | None, HealthStatus], object]) -> None:
        """Call `fn` with (name, status before, status now) when a check's status changes.

        It runs in the check's thread; what it raises is logged.
        """
        with self._lock:
            self._listeners.append(fn)

    def _status_changed(
        self, name: str, before: HealthStatus | None, after: HealthStatus | None, error: str
    ) -> None:
        if after is None:  # pragma: no cover  a verdict is never taken back
            return
        level = logging.INFO if after is HealthStatus.HEALTHY else logging.WARNING
        was = "unknown" if before is None else before.value
        suffix = f": {error}" if error else ""
        logger.log(level, "check %s: %s -> %s%s", sanitise(name), was, after.value, suffix)
        for listener in list(self._listeners):
            try:
                listener(name, before, after)
            except Exception:
                logger.exception("a listener to the check %s failed", sanitise(name))

    # -- the life of the service ----------------------------------------------------

    def start(self) -> Health:
        """Start running the checks. Harmless when they run already."""
        with self._lock:
            if not self._runner.running:
                self._runner.start()
        return self

    def stop(self, timeout: float = 1.0) -> None:
        """Stop running the checks; waits up to `timeout` seconds for idle threads."""
        self._runner.stop(timeout)

    def __enter__(self) -> Health:  # noqa: PYI034  not meant to be subclassed
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def refresh(self, timeout: float | None = None) -> None:
        """Run every check now and wait until each has returned or timed out.

        One that hangs since an earlier run is not waited for.

        Args:
            timeout: seconds to wait at most.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            self.start()
            for job, runs in self._runner.poke():
                left = None if end is None else max(0.0, end - time.monotonic())
                job.wake.wait_for(lambda job=job, runs=runs: job.runs > runs, left)  # type: ignore[misc]

    def wait_first(self, timeout: float) -> bool:
        """Wait until every check without a delay has a result; whether all have one.

        Args:
            timeout: seconds to wait at most.
        """
        end = time.monotonic() + timeout
        with self._lock:
            jobs = [job for job in self._runner.jobs if not job.initial_delay]
            return all(
                job.wake.wait_for(lambda job=job: job.runs > 0, max(0.0, end - time.monotonic()))  # type: ignore[misc]
                for job in jobs
            )

    def mark_started(self) -> None:
        """Say that the start-up is done; needed only with ``started=False``."""
        with self._lock:
            self._may_start = True

    def start_draining(self, seconds: float | None = None) -> None:
        """Fail `/health/ready` from now on, so that no new work is sent here.

        Args:
            seconds: how long the service will still serve; the status page counts down.

        Example:
            >>> health = Health("orders")
            >>> health.start_draining()
            >>> health.report("ready").status.value, health.report("live").status.value
            ('unhealthy', 'healthy')
        """
        with self._lock:
            self._draining = True
            if seconds is not None and self._drain_until is None:
                self._drain_until = self._clock() + seconds

    def fail(self, reason: str) -> None:
        """Say that this process cannot recover: `/health/live` fails until a restart."""
        with self._lock:
            self._failure = sanitise(reason) or "failed"

    # -- what probes read -----------------------------------------------------------

    def report(self, group: str = "") -> Report:
        """Return how a group stands, without running anything.

        Args:
            group: ``live``, ``ready``, ``startup``, a group of your own, or ``""`` for
                the whole service.

        Raises:
            KeyError: no check is in that group.
        """
        with self._lock:
            now = self._clock()
            views = [self._view(entry, now) for entry in self._states.values()]
            started = self._check_started(views)
            chosen = tuple(v for v in views if not group or group in v.groups)
            if not chosen and group and group not in _RESERVED:
                raise KeyError(group)
            state, reason = self._state(started)
            status = HealthStatus.worst(v.verdict for v in chosen)
            if group == "startup":
                # Latched: a probe of start-up has nothing to say about later.
                status = HealthStatus.HEALTHY if started else HealthStatus.UNHEALTHY
            elif self._failure or (state != "running" and group in {"", "ready"}):
                status = HealthStatus.UNHEALTHY
            left = self._drain_until
            left = None if left is None else max(0.0, left - now)
            return Report(group, status, state, reason, left, chosen)

    def _view(self, entry: CheckState | tuple[CheckState, Vital], now: float) -> CheckView:
        if isinstance(entry, CheckState):
            return entry.view(now)
        state, vital = entry
        result = vital.read()
        return state.view(now)._replace(status=result.status, error=sanitise(result.message))

    def _check_started(self, views: list[CheckView]) -> bool:
        if not self._was_started:
            self._was_started = self._may_start and all(
                v.verdict.ok for v in views if "startup" in v.groups
            )
        return self._was_started

    def _state(self, started: bool) -> tuple[str, str]:
        if self._failure:
            return "failed", self._failure
        if self._draining:
            return "draining", "draining"
        return ("running", "") if started else ("starting", "starting")

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that probes may ask for, in alphabetical order."""
        with self._lock:
            states = [e if isinstance(e, CheckState) else e[0] for e in self._states.values()]
            return tuple(sorted(_RESERVED.union(*(state.groups for state in states))))

    def asgi_app(self, app: ASGIApp | None = None) -> ASGIApp:
        """Return an ASGI application that answers the probes, to mount on the service's port.

        Args:
            app: what answers every other path; 404 where not given.
        """
        from ._apps import asgi_app

        return asgi_app(self, app)

    def wsgi_app(self, app: WSGIApp | None = None) -> WSGIApp:
        """Return a WSGI application that answers the probes.

        Args:
            app: what answers every other path; 404 where not given.
        """
        from ._apps import wsgi_app

        return wsgi_app(self, app)

    def instrument(self, *, prometheus: Any = None, opentelemetry: Any = None) -> None:
        """Publish gauges of each check: status, failures in a row, latency, age of the last pass.

        They are worked out when they are collected.

        Args:
            prometheus: a ``CollectorRegistry`` of prometheus-client.
            opentelemetry: a ``MeterProvider`` of OpenTelemetry.

        Raises:
            RuntimeError: the library is not installed; names the extra.
        """
        from ._metrics import instrument_opentelemetry, instrument_prometheus

        if prometheus is not None:
            instrument_prometheus(self, prometheus)
        if opentelemetry is not None:
            instrument_opentelemetry(self, opentelemetry)

    def _after_fork(self) -> None:
        # The parent's threads are not here, and one of them may have held the lock.
        self._lock = threading.RLock()
        self._runner.replace_lock(self._lock)


def _valid_groups(groups: Iterable[str]) -> tuple[str, ...]:
    if isinstance(groups, str):
        raise TypeError(f"groups must be a tuple of names, such as ({groups!r},), not a string")
    groups = tuple(dict.fromkeys(groups))
    if not groups:
        raise ValueError("groups must name one group at least")
    for group in groups:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", str(group)):
            raise ValueError(f"a group is a word of letters, digits, '-' and '_', not {group!r}")
    return groups


def _valid_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"name must be a text that is not empty, not {name!r}")


def _at_least_one(argument: str, count: object) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"{argument} must be a whole number of 1 or more, not {count!r}")


def _positive(argument: str, seconds: float) -> None:
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{argument} must be a positive number of seconds, not {seconds!r}")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    import sys

    # No loop can run where asyncio was never imported.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        loop: Any = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop  # type: ignore[no-any-return]


_EVERY: weakref.WeakSet[Health] = weakref.WeakSet()


def _after_fork() -> None:
    for health in list(_EVERY):
        health._after_fork()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
