"""The checks of a service and its state: what every probe reads."""

from __future__ import annotations

import hmac
import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from shared.core import checks
from shared.core.callables import describe
from shared.core.forks import renew
from shared.core.loops import running_loop
from shared.core.redaction import one_line

from .._base.callables import plain
from .._base.status import HealthCheck, HealthStatus
from .._base.times import limit
from .runner import Job, Runner
from .state import CheckState, CheckView
from .vitals import Vital

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    F = TypeVar("F", bound="Callable[[], Any]")

logger = logging.getLogger("shared.health")

_RESERVED = {"live", "ready", "startup"}


class Report(NamedTuple):
    """The state of a group when it was read; the group `""` is the whole service."""

    group: str
    status: HealthStatus
    state: str
    """`starting`, `running`, `draining` or `failed`."""
    reason: str
    drain_left: float | None
    checks: tuple[CheckView, ...]


class Registry:
    """Everything about the checks of a service except how they are published.

    Args:
        service: The name of the service.
        version: Its version.
        token: What a client sends to see details from anywhere.
        started: False: not ready until `mark_started` is called.
        clock: Seconds that never jump.
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
            raise ValueError("token must not be empty; omit it to show details on loopback only")
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
        renew(self)

    # -- checks ---------------------------------------------------------------------

    def add(
        self,
        name: str,
        fn: Callable[[], Any] | HealthCheck | Vital,
        *,
        groups: Iterable[str] | None = None,
        critical: bool = True,
        timeout: float = 1.0,
        interval: float = 10.0,
        initial_delay: float = 0.0,
        fail_after: int = 3,
        pass_after: int = 1,
        stale_after: float | None = None,
        allow_dependency: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        replace: bool = False,
    ) -> None:
        """Add a check; it may be added while the service runs.

        Args:
            name: Unique in this `Health`.
            fn: Called without arguments, sync or async; see `CheckResult.of` for what it may
                return. Raising is UNHEALTHY. A `Heartbeat` or an `EventLoopLag` is read by
                each probe and never run: only `groups` and `critical` apply to it.
            groups: The probes that include it: `ready`, `live`, `startup` or your own
                names. If omitted, `("ready",)`; for a sign of life `("live", "ready")`.
            critical: False: its failure makes the group DEGRADED, not UNHEALTHY.
            timeout: Seconds for one run; a run that takes longer fails with `timeout`.
            interval: Seconds from the start of one run to the next.
            initial_delay: Seconds before the first run.
            fail_after: Failures in a row that turn a check that passed before.
            pass_after: Passes in a row that turn it back.
            stale_after: Seconds after which the last result does not count any more.
            allow_dependency: Allow a check in `live` that depends on anything outside this
                process. A restart does not cure a dependency: if it is down, every pod of
                the service is restarted for nothing.
            loop: The event loop that an async check runs on; if omitted, the running one;
                a private one if none runs.
            replace: Allow a name that is taken: the check of that name is removed.

        Raises:
            ValueError: The name is taken or a number out of its range, a group is not a
                plain word, or a dependency was added to `live`.
            TypeError: `fn` cannot be called without arguments or yields, or `groups` is a string.
        """
        vital = isinstance(fn, Vital)
        if groups is None:
            groups = ("live", "ready") if vital else ("ready",)
        groups = _valid_groups(groups)
        if not checks.text("name", name).strip():
            raise checks.refuse("name", "a text that is not empty", name)
        if isinstance(fn, HealthCheck):
            fn = fn.check
        if not vital:
            plain(f"the check {name!r}", fn)
        if "live" in groups and not vital and not allow_dependency:
            raise ValueError(
                f"the check {name!r} must not be in 'live': a restart does not cure a dependency. "
                "Use 'ready', a Heartbeat or an EventLoopLag, or pass allow_dependency=True"
            )
        initial_delay = checks.seconds("initial_delay", initial_delay)
        if stale_after is not None:
            stale_after = checks.seconds("stale_after", stale_after, above=0)
        state = CheckState(
            name,
            groups=groups,
            critical=critical,
            timeout=checks.seconds("timeout", timeout, above=0),
            interval=checks.seconds("interval", interval, above=0),
            fail_after=checks.whole("fail_after", fail_after),
            pass_after=checks.whole("pass_after", pass_after),
            stale_after=stale_after,
        )
        with self._lock:
            if name in self._states:
                if not replace:
                    raise ValueError(f"a check named {name!r} is registered already")
                self._runner.remove(self._states[name])
            if isinstance(fn, Vital):
                self._states[name] = (state, fn)
            else:
                self._states[name] = state
                self._runner.add(Job(state, fn, initial_delay, loop or running_loop(), self._lock))

    def remove(self, name: str) -> None:
        """Remove a check; a run in flight is not waited for, and its result does not count.

        Raises:
            KeyError: There is no check of that name; the error lists the names.
        """
        with self._lock:
            if name not in self._states:
                raise KeyError(f"no check is named {name!r}; named: {', '.join(self._states)}")
            self._runner.remove(self._states.pop(name))

    def add_check(self, check: HealthCheck, *, replace: bool = False) -> None:
        """Add a `HealthCheck` with the settings and the name of its class."""
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
            replace=replace,
        )

    @overload
    def check(self, name: F) -> F: ...
    @overload
    def check(self, name: str | None = None, **settings: Any) -> Callable[[F], F]: ...
    def check(self, name: Any = None, **settings: Any) -> Any:
        """Decorate a function as a check; accepts the settings of `add`.

        Example:
            >>> from shared.health import Health
            >>> health = Health("orders")
            >>> @health.check("cache", critical=False)
            ... def cache() -> bool:
            ...     return True
        """
        if callable(name):
            self.add(_name_of(name), name)
            return name

        def decorate(fn: F) -> F:
            self.add(name or _name_of(fn), fn, **settings)
            return fn

        return decorate

    def on_change(self, fn: Callable[[str, HealthStatus | None, HealthStatus], object]) -> None:
        """Call `fn` with (name, previous status, new status) when a check's status changes.

        It runs in the check's thread; what it raises is logged.

        Raises:
            TypeError: It is not callable with three arguments, or async.
        """
        plain("a listener", fn, arguments=3, is_async=False)
        with self._lock:
            self._listeners.append(fn)

    def _status_changed(
        self, name: str, before: HealthStatus | None, after: HealthStatus, error: str
    ) -> None:
        level = logging.INFO if after is HealthStatus.HEALTHY else logging.WARNING
        was = "unknown" if before is None else before.value
        suffix = f": {error}" if error else ""
        logger.log(level, "check %s: %s -> %s%s", one_line(name), was, after.value, suffix)
        for listener in list(self._listeners):
            try:
                listener(name, before, after)
            except Exception:
                logger.exception("a listener to the check %s failed", one_line(name))

    # -- the life of the service ----------------------------------------------------

    def start(self) -> Self:
        """Start running the checks. Harmless if they are running already."""
        with self._lock:
            if not self._runner.running:
                self._runner.start()
        return self

    def stop(self, timeout: float = 1.0) -> None:
        """Stop running the checks; waits up to `timeout` seconds for idle threads."""
        self._runner.stop(checks.seconds("timeout", timeout, unlimited=True))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def refresh(self, timeout: float | None = None) -> None:
        """Run every check now and wait until each has returned or timed out.

        One that has been hanging since an earlier run is not waited for.

        Args:
            timeout: The most seconds to wait; None or inf: no limit.
        """
        if timeout is not None:
            timeout = checks.seconds("timeout", timeout, unlimited=True)
        end = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            self.start()
            for job, runs in self._runner.poke():
                left = None if end is None else limit(end - time.monotonic())
                job.wake.wait_for(lambda job=job, runs=runs: job.removed or job.runs > runs, left)  # type: ignore[misc]

    def wait_first(self, timeout: float) -> bool:
        """Wait until every check without a delay has a result; return whether all have one.

        Args:
            timeout: The most seconds to wait; inf: no limit.
        """
        end = time.monotonic() + checks.seconds("timeout", timeout, unlimited=True)
        with self._lock:
            jobs = [job for job in self._runner.jobs if not job.initial_delay]
            return all(
                job.wake.wait_for(
                    lambda job=job: job.removed or job.runs > 0,  # type: ignore[misc]
                    limit(end - time.monotonic()),
                )
                for job in jobs
            )

    def awaits_first(self, group: str = "") -> bool:
        """Whether a check of a group has just been started and has no result yet.

        At most 0.75 s long: a probe waits for that, less than the second after which the
        kubelet gives up.
        """
        with self._lock:
            now = time.monotonic()
            return self._runner.running and any(
                job.runs == 0 and now < job.awaited_until
                for job in self._runner.jobs
                if not group or group in job.state.groups
            )

    def mark_started(self) -> None:
        """Report that the start-up is done; needed only with `started=False`."""
        with self._lock:
            self._may_start = True

    def start_draining(self, seconds: float | None = None) -> None:
        """Fail `/health/ready` from now on, so that no new work is sent here.

        Args:
            seconds: How long the service will still serve; the status page counts down. None:
                not known.

        Example:
            >>> from shared.health import Health
            >>> health = Health("orders")
            >>> health.start_draining()
            >>> health.report("ready").status.value, health.report("live").status.value
            ('unhealthy', 'healthy')
        """
        if seconds is not None:
            seconds = checks.seconds("seconds", seconds)
        with self._lock:
            self._draining = True
            if seconds is not None and self._drain_until is None:
                self._drain_until = self._clock() + seconds

    def fail(self, reason: str) -> None:
        """Report that this process cannot recover: `/health/live` fails until a restart."""
        with self._lock:
            self._failure = one_line(reason) or "failed"

    # -- what probes read -----------------------------------------------------------

    def report(self, group: str = "") -> Report:
        """Return the state of a group, without running anything.

        Args:
            group: `live`, `ready`, `startup`, your own group, or `""` for the whole service.

        Raises:
            KeyError: No check is in that group.
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
                # Latched: a probe of the start-up reports nothing about later.
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
        return state.view(now)._replace(status=result.status, error=one_line(result.message))

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
        """The groups that probes may request, in alphabetical order."""
        with self._lock:
            states = [e if isinstance(e, CheckState) else e[0] for e in self._states.values()]
            return tuple(sorted(_RESERVED.union(*(state.groups for state in states))))

    def may_see(self, token: str) -> bool:
        """Whether it is the token for details; never, if there is none."""
        return self._token is not None and hmac.compare_digest(token.encode(), self._token.encode())

    def renew_after_fork(self) -> None:
        """In a child: the parent's threads are not here, and one may have held the lock."""
        self._lock = threading.RLock()
        self._runner.replace_lock(self._lock)


def _name_of(fn: Callable[..., Any]) -> str:
    return getattr(fn, "__name__", None) or describe(fn)


def _valid_groups(groups: Iterable[str]) -> tuple[str, ...]:
    if isinstance(groups, str):
        raise checks.refuse("groups", f"a tuple of names, such as ({groups!r},)", groups, TypeError)
    groups = tuple(dict.fromkeys(groups))
    if not groups:
        raise checks.refuse("groups", "at least one name", groups)
    for group in groups:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", str(group)):
            raise checks.refuse("a group", "a word of letters, digits, '-' and '_'", group)
    return groups
