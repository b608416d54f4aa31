"""How rare a deviation is, judged by the largest ones so far."""

from __future__ import annotations

import math
from bisect import bisect_left, insort

_KEEP = 24  # largest deviations kept
_APART = 5  # points between deviations that count as two
_SHAPE = 0.3  # tail shape before there is evidence: between exponential and heavy
_BELIEF = 15  # how many deviations that prior is worth
_LEAST_SHAPE = 0.03
_HORIZON = 100_000  # points after which the memory starts to fade
_ALIKE = 0.8  # deviations from this share upwards are as large
_WEIGHT = 4.0  # a deviation seen once before counts for this many chances
_GROWTH = 3.0  # a deviation counts for no more than this many times the largest before


class Tail:
    """The upper tail of a stream of deviations, in constant memory.

    Peaks over threshold: beyond the least of the kept deviations the tail is treated as a power
    law, its shape estimated by Hill's estimator (1975) and held near a prior while there is
    little evidence. A stream that often jumps has a heavy tail, so that its next jump is not
    news; in a calm one the same jump is. Deviations that follow each other closely are one
    event and are kept as their largest (declustering).
    """

    __slots__ = ("_count", "_last", "_peak", "_shape", "_top")

    def __init__(self) -> None:
        """Start without a history."""
        self._top: list[float] = []
        self._count = 0
        self._last = -_APART
        self._peak = 0.0
        self._shape = _SHAPE

    def surprise(self, deviation: float) -> float:
        """Return minus the natural logarithm of the chance of a deviation this large; 0 for common ones."""
        self._count += 1
        top = self._top
        if len(top) < _KEEP:
            if deviation > 0:
                self._learn(deviation)
            return 0.0
        if self._count > _HORIZON:
            self._count = _HORIZON
            fade = 1 - 1 / _HORIZON
            self._top = top = [kept * fade for kept in top]
            self._peak *= fade
        least = top[0]
        if deviation <= least:
            return 0.0
        found = math.log(self._count / _KEEP) + math.log(deviation / least) / self._shape
        if deviation * _ALIKE <= top[-1]:
            # Seen before, and this often: no rarer than that.
            seen = len(top) - bisect_left(top, deviation * _ALIKE)
            found = min(found, math.log(self._count / (1 + _WEIGHT * seen)))
        self._learn(min(deviation, top[-1] * _GROWTH))
        return found

    def limit(self, surprise: float) -> float:
        """Return the deviation from which the surprise is at least this."""
        if len(self._top) < _KEEP:
            return math.inf
        rest = surprise - math.log(self._count / _KEEP)
        return self._top[0] * math.exp(max(0.0, rest) * self._shape)

    def _learn(self, deviation: float) -> None:
        top = self._top
        full = len(top) >= _KEEP
        if self._count - self._last < _APART:
            if deviation > self._peak:
                top.remove(self._peak)
                insort(top, deviation)
                self._peak = deviation
        else:
            insort(top, deviation)
            self._peak = deviation
            if full:
                del top[0]
            self._last = self._count
        if len(top) < _KEEP:
            return
        self._last = self._count
        base = math.log(top[0])
        heights = sum([math.log(kept) - base for kept in top])
        self._shape = max(_LEAST_SHAPE, (heights + _SHAPE * _BELIEF) / (_KEEP + _BELIEF))
