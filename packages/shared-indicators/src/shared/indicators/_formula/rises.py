"""The direction of each move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .expr import Op, Stream


@dataclass(frozen=True)
class Rises(Op):
    """1 up, -1 down, 0 flat; the first bar counts as up."""

    def inline(self, *, scalar: bool) -> tuple[str, ...]:
        """Write the comparison of floats."""
        if not scalar:
            return ()
        return (
            "{v} = 1.0 if {x} > {s}.last else -1.0 if {x} < {s}.last else 0.0",
            "{s}.last = {x}",
        )

    def stream(self, *, scalar: bool) -> Stream:
        """Make a new stream."""
        return RisesStream(scalar=scalar)

    def runner(self, kernels: Any) -> RisesRunner:
        """Make a new runner."""
        return RisesRunner(kernels.signs)


class RisesStream:
    """Keeps the last value."""

    __slots__ = ("last", "scalar")

    def __init__(self, last: Any = -np.inf, *, scalar: bool) -> None:
        self.last = last
        self.scalar = scalar

    def step(self, value: Any) -> Any:
        """Take a value; return its direction."""
        last, self.last = self.last, value
        if self.scalar:
            return 1.0 if value > last else -1.0 if value < last else 0.0
        return np.sign(value - last)


class RisesRunner:
    """Keeps the last bar of every row."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel
        self.last: np.ndarray | None = None

    def feed(self, block: np.ndarray) -> np.ndarray:
        """Take the next block of rows x bars."""
        before = np.full(len(block), -np.inf) if self.last is None else self.last
        self.last = block[:, -1].copy()
        found: np.ndarray = self.kernel(block, before)
        return found

    def resume(self) -> Stream:
        """Return a stream in the same state."""
        return RisesStream(-np.inf if self.last is None else float(self.last[0]), scalar=True)
