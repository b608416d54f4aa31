"""The running states of window operations.

They keep two stacks: suffix aggregates of the last full block of `period` values, and the prefix
aggregate of the block being filled. A window is one of each, so a step costs O(1) on average, nothing
is ever subtracted, and a value that left the window leaves no trace and no drift. The same code runs on
floats (one series) and on arrays (one value per symbol).
"""

from __future__ import annotations

from collections import deque
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from .._base.constants import CANCELLED

if TYPE_CHECKING:
    from collections.abc import Callable


class TwoStacks:
    """Any associative aggregate of the last `period` values; `empty` is that of no values.

    Above `ring[at]` are the values of the block being filled, the newest first; up to it aggregates of
    the older block, of its newest 0, 1, 2 .. values.
    """

    __slots__ = ("at", "combine", "empty", "period", "prefix", "ring", "silent")

    def __init__(self, period: int, combine: Callable[[Any, Any], Any], empty: Any) -> None:
        self.period = period
        self.combine = combine
        self.empty = empty
        self.ring: list[Any] = [empty] * (period + 1)
        self.at = period
        self.prefix = empty
        self.silent = period - 1

    def step(self, value: Any) -> Any:
        """Take a value; return the aggregate once the window is full."""
        combine = self.combine
        self.prefix = prefix = combine(self.prefix, value)
        self.ring[self.at] = value
        self.at -= 1
        found = combine(self.ring[self.at], prefix)
        if not self.at:
            # The block is full: it becomes the older one.
            self.at, self.prefix = self.period, self.empty
            self.ring = list(accumulate(self.ring, lambda newer, older: combine(older, newer)))
        if self.silent:
            self.silent -= 1
            return None
        return found


class WeightedStream:
    """Sum of the window, weighted 1 (oldest) to `period` (newest), by two stacks.

    The block being filled counts `period` times its sum, less the sums that it had before each value.
    """

    __slots__ = ("at", "passed", "period", "plain", "ring", "silent")

    def __init__(self, period: int) -> None:
        self.period = period
        self.ring: list[Any] = [0.0] * (period + 1)
        self.at = period
        self.plain: Any = 0.0
        self.passed: Any = 0.0
        self.silent = period - 1

    def step(self, value: Any) -> Any:
        """Take a value; return the weighted sum once the window is full."""
        self.passed = self.passed + self.plain
        self.plain = self.plain + value
        self.ring[self.at] = value
        self.at -= 1
        found = self.ring[self.at] + (self.period * self.plain - self.passed)
        if not self.at:
            self.at, self.plain, self.passed = self.period, 0.0, 0.0
            self.ring = list(accumulate(accumulate(self.ring)))
        if self.silent:
            self.silent -= 1
            return None
        return found


class LagStream:
    """The value of `bars` steps ago."""

    __slots__ = ("past",)

    def __init__(self, bars: int) -> None:
        self.past: deque[Any] = deque(maxlen=bars)

    def step(self, value: Any) -> Any:
        """Take a value; return the one `bars` before it."""
        past = self.past
        old = past[0] if len(past) == past.maxlen else None
        past.append(value)
        return old


class PreviousStream:
    """The value before this one."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: Any = None

    def step(self, value: Any) -> Any:
        """Take a value; return the one before it."""
        old = self.last
        self.last = value
        return old


class VarianceStream:
    """Population variance: sums of squares around a value of the window.

    Where the sums cancel (a trend that dwarfs the spread, a spike as the reference) the window is
    summed again in two passes.
    """

    __slots__ = ("before", "block", "older", "period", "reference", "s", "scalar", "ss")

    def __init__(self, period: int, *, scalar: bool) -> None:
        self.period = period
        self.scalar = scalar
        self.before: list[Any] = []
        self.block: list[Any] = []
        self.older: list[tuple[Any, Any]] = []
        self.reference: Any = None
        self.s: Any = 0.0
        self.ss: Any = 0.0

    def step(self, value: Any) -> Any:
        """Take a value; return the variance once the window is full."""
        period = self.period
        if self.reference is None:
            self.reference = value
        distance = value - self.reference
        self.block.append(value)
        self.s = s = self.s + distance
        self.ss = ss = self.ss + distance * distance
        if self.older:
            s_old, ss_old = self.older.pop()
            s, ss = s + s_old, ss + ss_old
        elif len(self.block) < period:
            return None
        variance = (ss - s * s / period) / period
        if self.scalar:
            if not variance * period >= CANCELLED * ss:
                variance = self._two_passes()
        else:
            bad = ~(variance * period >= CANCELLED * ss)
            if bad.any():
                variance = self._two_passes_where(variance, bad)
        if len(self.block) == period:
            self._turn(value)
        return variance

    def _window(self) -> list[Any]:
        block = self.block
        return self.before[len(block) :] + block

    def _two_passes(self) -> float:
        window, period = self._window(), self.period
        # Around a value of the window, so that a constant window gives exactly zero.
        mean = window[0] + sum([x - window[0] for x in window]) / period
        return float(sum([(x - mean) * (x - mean) for x in window]) / period)

    def _two_passes_where(self, variance: Any, bad: Any) -> Any:
        window = np.array([row[bad] for row in self._window()])
        distance = window - window[0]
        distance -= distance.sum(axis=0) / self.period
        variance[bad] = (distance * distance).sum(axis=0) / self.period
        return variance

    def _turn(self, reference: Any) -> None:
        distances = [x - reference for x in reversed(self.block)]
        self.older = list(
            zip(accumulate(distances), accumulate([d * d for d in distances]), strict=True)
        )
        self.older.pop()
        self.before, self.block = self.block, []
        self.reference = reference
        self.s = self.ss = 0.0


class DeviationStream:
    """Mean absolute distance from the mean of the window; O(period), as the formula is."""

    __slots__ = ("past", "scalar")

    def __init__(self, period: int, *, scalar: bool) -> None:
        self.past: deque[Any] = deque(maxlen=period)
        self.scalar = scalar

    def step(self, value: Any) -> Any:
        """Take a value; return the mean deviation once the window is full."""
        past = self.past
        past.append(value)
        if len(past) < (period := past.maxlen or 1):
            return None
        if self.scalar:
            mean = sum(past) / period
            return sum([abs(x - mean) for x in past]) / period
        window = np.array(past)
        return np.abs(window - window.sum(axis=0) / period).sum(axis=0) / period
