"""A quantile sketch with a bounded relative error, which can be merged without loss.

DDSketch: Masson, Rim and Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
Relative-Error Guarantees", VLDB 2019, https://arxiv.org/abs/1908.10693. A value v > 0 falls into
bucket i = ceil(log v / log g) with g = (1 + a) / (1 - a); the bucket's value 2 g^i / (g + 1) is
within the share a of everything in it. Buckets are never collapsed: all floats together need
at most 72,000 at 1 %.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from shared.core import checks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class QuantileSketch:
    """Counts, sums and quantiles of numbers in little memory.

    Args:
        error: The relative error of quantiles: 0.01 means within 1 % of the true value.

    Raises:
        ValueError: An error outside 0 to 0.5 (both excluded).
        TypeError: The error is not a number.

    Example:
        >>> sketch = QuantileSketch()
        >>> sketch.update(range(1, 1001))
        >>> abs(sketch.quantile(0.5) - 500) <= 5
        True
    """

    __slots__ = ("_log", "_negative", "_positive", "_zero", "count", "error", "max", "min", "sum")

    def __init__(self, error: float = 0.01) -> None:
        self.error: float = checks.number("error", error, above=0)
        if error >= 0.5:
            raise checks.refuse("error", "below 0.5", error)
        self._log = math.log1p(2 * error / (1 - error))
        self._positive: Counter[int] = Counter()
        self._negative: Counter[int] = Counter()
        self._zero = 0
        self.count: int = 0
        self.sum: float = 0.0
        self.min: float = math.inf
        self.max: float = -math.inf

    def add(self, value: float, times: int = 1) -> None:
        """Add a number, `times` times.

        Raises:
            ValueError: NaN, an infinity, or fewer than one time.
        """
        if not math.isfinite(value):
            raise checks.refuse("value", "finite", value)
        if times < 1:
            raise checks.refuse("times", "at least 1", times)
        if value > 0:
            self._positive[math.ceil(math.log(value) / self._log)] += times
        elif value < 0:
            self._negative[math.ceil(math.log(-value) / self._log)] += times
        else:
            self._zero += times
        self.count += times
        self.sum += value * times
        if value < self.min:
            self.min = float(value)
        if value > self.max:
            self.max = float(value)

    def update(self, values: Iterable[float]) -> None:
        """Add many numbers."""
        for value in values:
            self.add(value)

    def merge(self, other: QuantileSketch) -> None:
        """Add everything that another sketch has counted; the other one is not changed.

        Raises:
            ValueError: The sketches have different errors.
        """
        if other.error != self.error:
            raise ValueError(f"cannot merge a sketch of error {other.error} into {self.error}")
        self._positive.update(other._positive)
        self._negative.update(other._negative)
        self._zero += other._zero
        self.count += other.count
        self.sum += other.sum
        self.min = min(self.min, other.min)
        self.max = max(self.max, other.max)

    def quantile(self, q: float) -> float:
        """Return the q-quantile: the value at rank floor(q * (count - 1)), within the error.

        Args:
            q: From 0 (the exact minimum) to 1 (the exact maximum).

        Returns:
            The value; NaN if nothing was added.

        Raises:
            ValueError: `q` is outside 0 to 1.
        """
        checks.number("q", q, least=0, most=1)
        if self.count == 0:
            return math.nan
        rank = math.floor(q * (self.count - 1))
        if rank == 0:
            return self.min
        if rank == self.count - 1:
            return self.max
        seen = 0
        for index in sorted(self._negative, reverse=True):
            seen += self._negative[index]
            if seen > rank:
                return self._within(-self._value(index))
        seen += self._zero
        if seen > rank:
            return 0.0
        for index in sorted(self._positive):
            seen += self._positive[index]
            if seen > rank:
                return self._within(self._value(index))
        return self.max  # pragma: no cover - the counts add up

    def _value(self, index: int) -> float:
        # 2 g^i / (g + 1) = (1 - a) g^i
        try:
            return math.exp(index * self._log + math.log1p(-self.error))
        except OverflowError:  # the extremes, to which it is limited, are within the error
            return math.inf

    def _within(self, value: float) -> float:
        return min(max(value, self.min), self.max)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, which can be merged elsewhere."""
        return {
            "error": self.error,
            "count": self.count,
            "sum": self.sum,
            "min": self.min if self.count else None,
            "max": self.max if self.count else None,
            "zero": self._zero,
            "positive": {str(k): v for k, v in self._positive.items()},
            "negative": {str(k): v for k, v in self._negative.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> QuantileSketch:
        """Return a sketch from the result of `to_dict`."""
        sketch = cls(data["error"])
        sketch._positive = Counter({int(k): int(v) for k, v in data["positive"].items()})
        sketch._negative = Counter({int(k): int(v) for k, v in data["negative"].items()})
        sketch._zero = int(data["zero"])
        sketch.count = int(data["count"])
        sketch.sum = float(data["sum"])
        sketch.min = math.inf if data["min"] is None else float(data["min"])
        sketch.max = -math.inf if data["max"] is None else float(data["max"])
        return sketch
