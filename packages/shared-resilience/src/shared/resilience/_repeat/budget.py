"""Keep retries to a share of the traffic, so that they cannot multiply an outage."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared.core.checks import number, seconds

from .._base.windows import TimedCalls

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta


class RetryBudget:
    """Allow retries up to a ratio of the calls of the last seconds, plus a few.

    Share one among all retries that load the same service. In an outage every call fails:
    with three attempts a service gets three times its load, with a budget of 0.1 it gets
    1.1 times.

    Args:
        ratio: Retries per call.
        min_per_second: Retries per second that are always allowed, so that a client with
            little traffic can retry at all.
        window: Seconds over which calls and retries are counted.
        clock: Returns seconds that never go back.

    Raises:
        ValueError: A number is out of range.

    The ratio of retries to traffic over a short window is the retry budget of Finagle:
    https://twitter.github.io/finagle/guide/Clients.html#retries.

    Example:
        >>> budget = RetryBudget(ratio=0.5, min_per_second=0)
        >>> for _ in range(2):
        ...     budget.request()
        >>> budget.spend(), budget.spend()
        (True, False)
    """

    __slots__ = ("_calls", "_floor", "min_per_second", "ratio", "window")

    def __init__(
        self,
        ratio: float = 0.1,
        min_per_second: float = 1,
        *,
        window: float | timedelta = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ratio: float = number("ratio", ratio, least=0)
        self.min_per_second: float = number("min_per_second", min_per_second, least=0)
        self.window: float = seconds("window", window, above=0)
        self._floor = self.min_per_second * self.window
        self._calls = TimedCalls(self.window, clock)

    def request(self) -> None:
        """Count a call (its first attempt)."""
        self._calls.note(0)

    def spend(self) -> bool:
        """Count a retry and return `True`, or return `False` if there is no room for it."""
        with self._calls:
            both, retries, _ = self._calls.counts()
            if retries + 1 > self.ratio * (both - retries) + self._floor + 1e-9:
                return False
            self._calls.note(1)
            return True

    def __repr__(self) -> str:
        return f"<RetryBudget ratio={self.ratio:g} min_per_second={self.min_per_second:g}>"
