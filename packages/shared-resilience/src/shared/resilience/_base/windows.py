"""Sliding windows over the outcomes of calls.

An outcome is a number made of two bits: 1 failed, 2 slow.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from shared.core import forks
from shared.core.checks import function

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_BUCKETS = 100


class CountedCalls:
    """The last `size` outcomes.

    `note` is the bound `append` of a bounded deque: one call into C, safe among
    threads without a lock, and nothing is computed before `counts` is called.
    """

    __slots__ = ("_outcomes", "note")

    def __init__(self, size: int) -> None:
        self._outcomes: deque[int] = deque(maxlen=size)
        self.note: Callable[[int], None] = self._outcomes.append

    def counts(self) -> tuple[int, int, int]:
        """Return how many calls there were, how many failed, how many were slow."""
        count = self._outcomes.count
        both = count(3)
        return len(self._outcomes), count(1) + both, count(2) + both


class TimedCalls:
    """The outcomes of the last `seconds`, in a hundred buckets with running totals."""

    __slots__ = (
        "__weakref__",
        "_acquire",
        "_bucket",
        "_buckets",
        "_clock",
        "_edge",
        "_release",
        "_seconds",
        "_totals",
    )

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._new_lock()
        self._seconds = seconds
        self._clock = function("clock", clock)
        self._totals = [0, 0, 0, 0]
        self._bucket = [0, 0, 0, 0]
        # (when it ended, its outcomes), oldest first; the current bucket is last
        self._buckets: deque[tuple[float, list[int]]] = deque()
        self._edge = float("-inf")
        forks.renew(self)

    def _new_lock(self) -> None:
        lock = threading.RLock()
        self._acquire, self._release = lock.acquire, lock.release

    def renew_after_fork(self) -> None:
        """Count on in a child, whatever another thread was just doing in the parent."""
        self._new_lock()
        self._edge = float("-inf")
        self._totals = [sum(counts) for counts in zip(*(b for _, b in self._buckets), strict=True)]
        self._totals = self._totals or [0, 0, 0, 0]

    def __enter__(self) -> None:
        """Hold the lock, for a decision on the counts."""
        self._acquire()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._release()

    def note(self, outcome: int) -> None:
        """Count one call."""
        self._acquire()
        try:
            now = self._clock()
            if now >= self._edge:
                self._roll(now)
            self._bucket[outcome] += 1
            self._totals[outcome] += 1
        finally:
            self._release()

    def counts(self) -> tuple[int, int, int]:
        """Return how many calls there were, how many failed, how many were slow."""
        self._acquire()
        try:
            self._forget(self._clock())
            _, failed, slow, both = totals = self._totals
            return sum(totals), failed + both, slow + both
        finally:
            self._release()

    def _roll(self, now: float) -> None:
        self._forget(now)
        self._edge = now + self._seconds / _BUCKETS
        self._bucket = [0, 0, 0, 0]
        self._buckets.append((self._edge, self._bucket))

    def _forget(self, now: float) -> None:
        start = now - self._seconds
        buckets, totals = self._buckets, self._totals
        while buckets and buckets[0][0] <= start:
            for outcome, count in enumerate(buckets.popleft()[1]):
                totals[outcome] -= count
