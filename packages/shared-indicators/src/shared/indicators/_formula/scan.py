"""First-order linear recurrences: every exponential average is one."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, log
from sys import maxsize
from typing import Any

import numpy as np

from .expr import Op, Stream


@dataclass(frozen=True)
class Scan(Op):
    """y[i] = keep * y[i-1] + gain * x[i], seeded by `share` times the sum of the first `seeds` inputs.

    `skip` inputs are passed over before the seeds; the seed itself is the first output if `shown`.
    """

    keep: float
    gain: float
    seeds: int
    share: float
    shown: bool = True
    skip: int = 0

    @property
    def lookback(self) -> int:
        """Inputs before the first output."""
        return self.skip + self.seeds - self.shown

    def inline(self, *, scalar: bool) -> tuple[str, ...]:  # noqa: ARG002 - the same for both
        """Write the recurrence."""
        keep = "" if self.keep == 1.0 else f"{self.keep!r} * "
        gain = "" if self.gain == 1.0 else f"{self.gain!r} * "
        return (f"{{s}}.y = {{v}} = {keep}{{s}}.y + {gain}{{x}}",)

    @property
    def memory(self) -> int:
        """Inputs until what was before weighs less than 1e-34."""
        if self.keep >= 1.0:
            return maxsize
        fade = -log(self.keep) if self.keep > 0.0 else inf
        return self.lookback + 1 + ceil(80.0 / fade)

    @property
    def states(self) -> int:
        """The last average."""
        return 1

    def stream(self, *, scalar: bool) -> Stream:  # noqa: ARG002 - the same for floats and arrays
        """Make a new stream."""
        return ScanStream(self)

    def runner(self, kernels: Any) -> ScanRunner:
        """Make a new runner."""
        return ScanRunner(self, kernels.scan)


class ScanStream:
    """The recurrence on floats or on arrays."""

    __slots__ = ("gain", "keep", "op", "seen", "sum", "y")

    def __init__(self, op: Scan) -> None:
        self.op = op
        self.keep = op.keep
        self.gain = op.gain
        self.seen = 0
        self.sum: Any = 0.0
        self.y: Any = None if op.seeds else 0.0

    def step(self, value: Any) -> Any:
        """Take a value; return the average once seeded."""
        y = self.y
        if y is None:
            return self._seed(value)
        self.y = y = self.keep * y + self.gain * value
        return y

    def stand(self, state: list[float]) -> None:
        """Continue from the last average."""
        (self.y,) = state

    def _seed(self, value: Any) -> Any:
        op = self.op
        self.seen += 1
        if self.seen > op.skip:
            self.sum = self.sum + value
        if self.seen < op.skip + op.seeds:
            return None
        self.y = self.sum * op.share
        return self.y if op.shown else None


class ScanRunner:
    """The recurrence over blocks of bars."""

    def __init__(self, op: Scan, kernel: Any) -> None:
        self.op = op
        self.kernel = kernel
        self.head: np.ndarray | None = None
        self.carry: np.ndarray | None = None

    def feed(self, block: np.ndarray) -> np.ndarray:
        """Take the next block of rows x bars."""
        op = self.op
        if self.carry is not None:
            found: np.ndarray = self.kernel(block, op.keep, op.gain, self.carry)
            return found
        if self.head is not None:
            block = np.concatenate((self.head, block), axis=1)
        needed = op.skip + op.seeds
        if block.shape[1] < needed:
            self.head = block.copy()
            return block[:, :0]
        self.head = None
        # In order, so that the sum of a row does not depend on the number of rows.
        seed = np.add.accumulate(block[:, op.skip : needed], axis=1)[:, -1] if op.seeds else 0.0
        self.carry = np.zeros(len(block)) + seed * op.share
        shown = self.carry[:, None].copy()
        rest = self.kernel(block[:, needed:], op.keep, op.gain, self.carry)
        return np.concatenate((shown, rest), axis=1) if op.shown else rest

    def resume(self) -> Stream:
        """Return a stream in the same state."""
        stream = ScanStream(self.op)
        if self.carry is not None:
            stream.y = float(self.carry[0])
        elif self.head is not None:
            for value in self.head[0].tolist():
                stream.step(value)
        return stream
