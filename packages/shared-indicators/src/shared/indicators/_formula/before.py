"""The value of the bar before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .expr import Op, Stream


@dataclass(frozen=True)
class Before(Op):
    """The value of the bar before; of the first bar its own, so that it counts as unchanged."""

    def inline(self, *, scalar: bool) -> tuple[str, ...]:
        """Write the exchange of floats."""
        if not scalar:
            return ()
        return ("{v} = {x} if {s}.last is None else {s}.last", "{s}.last = {x}")

    @property
    def memory(self) -> int:
        """One bar."""
        return 1

    def stream(self, *, scalar: bool) -> Stream:  # noqa: ARG002 - the same for floats and arrays
        """Make a new stream."""
        return BeforeStream()

    def runner(self, kernels: Any) -> BeforeRunner:  # noqa: ARG002 - copying needs no kernel
        """Make a new runner."""
        return BeforeRunner()


class BeforeStream:
    """Keeps the last value."""

    __slots__ = ("last",)

    def __init__(self, last: Any = None) -> None:
        self.last = last

    def step(self, value: Any) -> Any:
        """Take a value; return the one before."""
        last, self.last = self.last, value
        return value if last is None else last


class BeforeRunner:
    """Keeps the last bar of every row."""

    def __init__(self) -> None:
        self.last: np.ndarray | None = None

    def feed(self, block: np.ndarray) -> np.ndarray:
        """Take the next block of rows x bars."""
        first = block[:, :1] if self.last is None else self.last
        self.last = block[:, -1:].copy()
        return np.concatenate((first, block[:, :-1]), axis=1)

    def resume(self) -> Stream:
        """Return a stream in the same state."""
        return BeforeStream(None if self.last is None else float(self.last[0, 0]))
