"""Signs of life of the process itself: what `/health/live` may include.

They are read, never run: a probe compares two times.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from shared.core import checks
from shared.core.loops import running_loop

from .._base.status import CheckResult, HealthStatus

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Vital:
    """A sign of life. `read` must return at once."""

    def read(self) -> CheckResult:
        """Return its current state."""
        raise NotImplementedError


class Heartbeat(Vital):
    """Alive while `beat` is called often enough.

    Args:
        max_age: Seconds that may pass between two beats (the first counts from here).
        file: A path that every beat also marks, for `python -m shared.health probe
            --file PATH`; at most ten writes in `max_age`.
        clock: Seconds that never jump.

    Raises:
        ValueError: `max_age` is not positive.

    Example:
        >>> now = 0.0
        >>> heart = Heartbeat(30, clock=lambda: now)
        >>> now = 31.0
        >>> heart.read().message
        'no heartbeat for 31.0 s (30 s allowed)'
        >>> heart.beat()
        >>> heart.read().status.value
        'healthy'
    """

    def __init__(
        self,
        max_age: float,
        *,
        file: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_age: float = checks.seconds("max_age", max_age, above=0, unlimited=True)
        self._clock = clock
        self._file = file
        self._last = clock()
        self._written: float | None = None

    def beat(self) -> None:
        """Report that work goes on. Cheap, and safe from any thread."""
        now = self._last = self._clock()
        if self._file is None:
            return
        if self._written is None or now - self._written >= self.max_age / 10:
            from .probe import write_beat

            self._written = now
            write_beat(self._file, self.max_age)

    def read(self) -> CheckResult:
        """Return HEALTHY while the last beat is recent enough."""
        age = self._clock() - self._last
        if age <= self.max_age:
            return CheckResult(HealthStatus.HEALTHY)
        message = f"no heartbeat for {age:.1f} s ({self.max_age:g} s allowed)"
        return CheckResult(HealthStatus.UNHEALTHY, message)


class EventLoopLag(Vital):
    """Alive while the event loop runs: not blocked for longer than `max_lag`.

    Args:
        max_lag: Seconds that the loop may be late.
        loop: The loop to watch; if omitted, the running one.
        clock: Seconds that never jump.

    Raises:
        ValueError: `max_lag` is not positive.
        RuntimeError: No loop runs here and `loop` was omitted.
    """

    def __init__(
        self,
        max_lag: float,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_lag: float = checks.seconds("max_lag", max_lag, above=0)
        loop = loop or running_loop()
        if loop is None:
            raise RuntimeError(
                "EventLoopLag watches the running event loop and none runs here: "
                "create it inside a coroutine, or pass loop="
            )
        self._loop = loop
        self._clock = clock
        self._period = min(max(self.max_lag / 4, 0.005), 0.5)
        self._last = clock()
        self._timer: Any = None
        self._closed = False
        loop.call_soon_threadsafe(self._tick)

    def _tick(self) -> None:
        self._last = self._clock()
        if not self._closed:
            self._timer = self._loop.call_later(self._period, self._tick)

    @property
    def lag(self) -> float:
        """The seconds that the loop is late now."""
        return max(0.0, self._clock() - self._last - self._period)

    def close(self) -> None:
        """Stop watching, before a loop that ends on purpose; reads HEALTHY from then on."""
        self._closed = True
        if self._timer is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._timer.cancel)

    def read(self) -> CheckResult:
        """Return HEALTHY while the loop is late by no more than `max_lag`."""
        lag = self.lag
        if self._closed or lag <= self.max_lag:
            return CheckResult(HealthStatus.HEALTHY)
        message = f"event loop stuck for {lag:.1f} s ({self.max_lag:g} s allowed)"
        return CheckResult(HealthStatus.UNHEALTHY, message)
