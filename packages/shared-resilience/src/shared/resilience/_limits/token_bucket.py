"""A rate limiter that lets bursts through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared.core.checks import number, refuse

from .limiter import LEAST_WAIT, Limiter

if TYPE_CHECKING:
    from collections.abc import Callable


class TokenBucket(Limiter):
    """`rate` calls per second on average, and up to `capacity` at once after a pause.

    Args:
        rate: Tokens that come in each second.
        capacity: How many the bucket holds; it starts full. One second's worth if `None`.
        name: For errors and telemetry.
        wait: Whether callers wait for their turn; if not, `RateLimitedError` is raised.
        clock: Returns seconds that never go back.

    Raises:
        ValueError: A number is out of range.

    Example:
        >>> bucket = TokenBucket(rate=1.0, capacity=2)
        >>> bucket.try_acquire(2), bucket.try_acquire()
        (True, False)
    """

    def __init__(
        self,
        rate: float,
        capacity: float | None = None,
        *,
        name: str = "token_bucket",
        wait: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, wait=wait, clock=clock)
        self.rate: float = number("rate", rate, above=0)
        full = max(1.0, self.rate) if capacity is None else capacity
        self.capacity: float = number("capacity", full, least=1)
        self._tokens = self.capacity
        self._last = self._clock()

    def __repr__(self) -> str:
        return f"<TokenBucket {self.name!r} {self.rate:g}/s up to {self.capacity:g}>"

    def _take(self, n: int, now: float) -> float:
        self._tokens = min(self.capacity, self._tokens + (now - self._last) * self.rate)
        self._last = now
        missing = n - self._tokens
        if missing > 1e-9:  # less is the rounding of floats
            return max(missing / self.rate, LEAST_WAIT)
        self._tokens -= n
        return 0.0

    def _peek(self, n: int) -> float:
        tokens = self._tokens + (self._clock() - self._last) * self.rate
        return max(0.0, (n - tokens) / self.rate)

    def _check(self, n: int) -> None:
        if number("n", n, above=0) > self.capacity:
            raise refuse("n", f"at most the capacity {self.capacity:g}", n)
