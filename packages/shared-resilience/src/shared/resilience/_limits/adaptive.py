"""Find out how many calls at once a service can take, from how long they take."""

from __future__ import annotations

import math
import time
from itertools import repeat
from typing import TYPE_CHECKING, Protocol

from shared.core.checks import number, refuse, whole

from .._base.complaints import complain
from .._base.errors import of_the_call
from .._base.exceptions import Exceptions, matcher, which
from .._events.telemetry import emit
from .bulkhead import Slots

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from .._policy.policy import Admission


class LimitAlgorithm(Protocol):
    """Computes a new limit after each call."""

    def update(self, limit: float, seconds: float, active: int, *, dropped: bool) -> float:
        """Return the limit after a call.

        Args:
            limit: The limit so far.
            seconds: The duration of the call.
            active: Calls under way when it ended, itself included.
            dropped: Whether it failed because of overload.
        """
        raise NotImplementedError


class Gradient:
    """Compare the duration of calls with that at low load; shrink the limit when it grows.

    `limit <- (1 - smoothing) * limit + smoothing * (limit * gradient + queue)` with
    `gradient = clamp(tolerance * low / now, 0.5, 1)`: the gradient limit of
    https://github.com/Netflix/concurrency-limits. `low` is an average, measured at the
    start and then at intervals while the limit is halved for a moment: a baseline
    that simply followed the calls would learn that overload is normal.

    Args:
        tolerance: How much slower than at low load calls may be before the limit shrinks.
        smoothing: The weight of each new value, in (0, 1].
        queue: By how much the limit may exceed what the times suggest.
        backoff: What a dropped call multiplies the limit by, in (0, 1].
        probe_every: The baseline is measured again after this many rounds (of `limit` calls).
    """

    def __init__(
        self,
        *,
        tolerance: float = 1.5,
        smoothing: float = 0.5,
        queue: float = 4.0,
        backoff: float = 0.9,
        probe_every: int = 50,
    ) -> None:
        self.tolerance: float = number("tolerance", tolerance, least=1)
        self.smoothing: float = number("smoothing", smoothing, above=0, most=1)
        self.queue: float = number("queue", queue, above=0)
        self.backoff: float = number("backoff", backoff, above=0, most=1)
        self.probe_every: int = whole("probe_every", probe_every)
        self._low = 0.0
        self._sum = 0.0
        self._seen = 0
        self._ignore = 0  # calls that started before the limit was cut for a probe
        self._probing = True
        self._rounds = 0

    def update(self, limit: float, seconds: float, active: int, *, dropped: bool) -> float:
        """Return the limit after a call."""
        if dropped:
            return limit * self.backoff
        if self._ignore > 0:
            self._ignore -= 1
            return limit
        self._sum += max(seconds, 1e-9)
        self._seen += 1
        # One decision per round of calls: what is decided shows only in the next round.
        if self._seen < max(10.0, limit):
            return limit
        now, self._sum, self._seen = self._sum / self._seen, 0.0, 0
        if self._probing:
            self._low, self._probing = now, False
            return limit
        self._rounds += 1
        if self._rounds > self.probe_every:
            self._rounds, self._probing, self._ignore = 0, True, active
            return min(limit, active) / 2
        if active < limit / 2:
            return limit  # the calls did not reach the limit: they do not test it
        gradient = max(0.5, min(1.0, self.tolerance * self._low / now))
        target = limit * gradient + self.queue
        return limit * (1 - self.smoothing) + target * self.smoothing


class Vegas:
    """Estimate the service's queue from the fastest call seen; keep it short.

    `queue = limit * (1 - fastest / now)`; the limit grows while the queue is below
    `3 * log10(limit)` and shrinks when it is above twice that: the congestion control of
    TCP Vegas, in the form of https://github.com/Netflix/concurrency-limits. For services
    whose calls all take about as long.

    Args:
        smoothing: The weight of each new value, in (0, 1].
        probe_every: After this many rounds (of `limit` calls) the limit is halved for a moment
            and the fastest time measured again.
    """

    def __init__(self, *, smoothing: float = 1.0, probe_every: int = 50) -> None:
        self.smoothing: float = number("smoothing", smoothing, above=0, most=1)
        self.probe_every: int = whole("probe_every", probe_every)
        self._fastest = math.inf
        self._round = math.inf  # the fastest of this round
        self._seen = 0
        self._ignore = 0
        self._rounds = 0

    def update(self, limit: float, seconds: float, active: int, *, dropped: bool) -> float:
        """Return the limit after a call."""
        step = max(1.0, math.log10(limit))
        if dropped:
            return limit - step
        if self._ignore > 0:
            self._ignore -= 1
            return limit
        self._round = min(self._round, max(seconds, 1e-9))
        self._seen += 1
        if self._seen < max(10.0, limit):
            return limit
        now, self._round, self._seen = self._round, math.inf, 0
        self._fastest = min(self._fastest, now)
        self._rounds += 1
        if self._rounds > self.probe_every:
            self._rounds, self._fastest, self._ignore = 0, math.inf, active
            return min(limit, active) / 2
        if active < limit / 2:
            return limit
        queue = math.ceil(limit * (1 - self._fastest / now))
        target = limit
        if queue < 3 * step:
            target = limit + step
        elif queue > 6 * step:
            target = limit - step
        return limit * (1 - self.smoothing) + target * self.smoothing


class AdaptiveLimiter(Slots):
    """A bulkhead that finds its own size: it grows while calls stay fast, and shrinks when not.

    Args:
        algorithm: `"gradient"`, `"vegas"`, or an object with the method `update`.
        initial: The first limit.
        min_limit: The smallest limit.
        max_limit: The largest limit.
        exceptions: What means overload: a class, a tuple, or a predicate; `TimeoutError` if
            `None`. Other failures do not count.
        max_queue: Calls that may wait for a slot.
        max_wait: Seconds that one may wait.
        name: For errors and telemetry.
        clock: Returns seconds that never go back.
        dropped: Another name for `exceptions`.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> limiter = AdaptiveLimiter("vegas", initial=10)
        >>> limiter.call(len, "abc"), limiter.limit
        (3, 10)
    """

    kind = "adaptive_limiter"

    def __init__(
        self,
        algorithm: str | LimitAlgorithm = "gradient",
        *,
        initial: int = 20,
        min_limit: int = 1,
        max_limit: int = 1000,
        exceptions: Exceptions | None = None,
        max_queue: int = 0,
        max_wait: float | timedelta | None = None,
        name: str = "adaptive_limiter",
        clock: Callable[[], float] = time.monotonic,
        dropped: Exceptions | None = None,
    ) -> None:
        self.min_limit: int = whole("min_limit", min_limit)
        self.max_limit: int = whole("max_limit", max_limit, least=self.min_limit)
        initial = whole("initial", initial, least=self.min_limit, most=self.max_limit)
        self.algorithm: LimitAlgorithm = _algorithm(algorithm)
        self._dropped = matcher(which(TimeoutError, exceptions=exceptions, dropped=dropped))
        self._exact = float(initial)
        super().__init__(initial, max_queue=max_queue, max_wait=max_wait, name=name, clock=clock)

    def __repr__(self) -> str:
        return f"<AdaptiveLimiter {self.name!r} {self.active} of {self._limit}>"

    def _most(self) -> int:
        return self.max_limit

    def renew_after_fork(self) -> None:
        """Start again in a child, with the limit that the parent had found."""
        super().renew_after_fork()
        self._calls = object()

    @property
    def limit(self) -> int:
        """How many calls may be under way now."""
        return self._limit

    def _begin(self) -> Admission:
        self._take()
        return _Measured(self._learn, self._clock(), self._calls)

    async def _abegin(self) -> Admission:
        await self._atake()
        return _Measured(self._learn, self._clock(), self._calls)

    def _learn(self, started: float, calls: object, exc: BaseException | None) -> None:
        """Free the slot and, if the call tells about the load, adapt the limit."""
        if calls is not self._calls:
            return  # it began before a fork, and ends in the parent
        dropped = of_the_call(exc) and self._dropped(exc)
        new = self._limit
        with self._lock:
            if exc is None or dropped:
                self._exact = self._updated(self._clock() - started, dropped=dropped)
                new = int(self._exact)
            change = new - self._limit
            self._limit = new
            self._free.append(None)
            if change > 0:
                again = min(change, self._owed)
                self._owed -= again
                self._free.extend(repeat(None, change - again))
            else:
                self._owed -= change
            self._hand_out()
        if change:
            emit(self.kind, self.name, "limit_changed", limit=new)

    def _updated(self, seconds: float, *, dropped: bool) -> float:
        """Return the algorithm's new limit, within bounds; the old one if it fails."""
        try:
            exact = number(
                "limit",
                self.algorithm.update(self._exact, seconds, self.active, dropped=dropped),
                finite=False,
            )
        except Exception as problem:  # noqa: BLE001 - the slot must come back
            complain("algorithm", self.algorithm, problem)
            return self._exact
        return min(float(self.max_limit), max(float(self.min_limit), exact))


class _Measured:
    __slots__ = ("_calls", "_learn", "_started")

    def __init__(
        self,
        learn: Callable[[float, object, BaseException | None], None],
        started: float,
        calls: object,
    ) -> None:
        self._learn = learn
        self._started = started
        self._calls = calls

    def end(self, exc: BaseException | None, /) -> None:
        self._learn(self._started, self._calls, exc)


def _algorithm(algorithm: str | LimitAlgorithm) -> LimitAlgorithm:
    if isinstance(algorithm, str):
        if algorithm == "gradient":
            return Gradient()
        if algorithm == "vegas":
            return Vegas()
    elif callable(getattr(algorithm, "update", None)):
        return algorithm
    raise refuse("algorithm", "'gradient', 'vegas' or an object with update()", algorithm)
