"""Operations over the last `period` values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._expr import Op, Stream
from ._streams import (
    DeviationStream,
    LagStream,
    PreviousStream,
    SumStream,
    TwoStacks,
    VarianceStream,
)


def _larger(older: float, newer: float) -> float:
    return max(newer, older)


def _smaller(older: float, newer: float) -> float:
    return min(newer, older)


def _weigh(older: tuple[Any, ...], newer: tuple[Any, ...]) -> tuple[Any, ...]:
    """Join (sum, sum weighted 1..n, n) of two neighbouring runs."""
    s_old, w_old, n_old = older
    s_new, w_new, n_new = newer
    return s_old + s_new, w_old + w_new + n_old * s_new, n_old + n_new


def _newest_largest(older: tuple[Any, Any], newer: tuple[Any, Any]) -> tuple[Any, Any]:
    """Join (value, bar) of two neighbouring runs."""
    return newer if newer[0] >= older[0] else older


def _newest_largest_of_each(older: tuple[Any, Any], newer: tuple[Any, Any]) -> tuple[Any, Any]:
    stays = older[0] > newer[0]
    return np.where(stays, older[0], newer[0]), np.where(stays, older[1], newer[1])


class WeightedStream:
    """Sum of the window, weighted 1 (oldest) to `period` (newest)."""

    __slots__ = ("stacks",)

    def __init__(self, period: int) -> None:
        self.stacks = TwoStacks(period, _weigh)

    def step(self, value: Any) -> Any:
        """Take a value; the weighted sum once the window is full."""
        found = self.stacks.step((value, value, 1.0))
        return None if found is None else found[1]


class AgeStream:
    """How many bars ago the extreme of the window was; the newest of equals."""

    __slots__ = ("now", "sign", "stacks")

    def __init__(self, period: int, sign: float, *, scalar: bool) -> None:
        self.stacks = TwoStacks(period, _newest_largest if scalar else _newest_largest_of_each)
        self.sign = sign
        self.now = 0.0

    def step(self, value: Any) -> Any:
        """Take a value; the age of the extreme once the window is full."""
        self.now += 1.0
        found = self.stacks.step((self.sign * value, self.now))
        return None if found is None else self.now - found[1]


@dataclass(frozen=True)
class Window(Op):
    """One of the window operations; `kind` names its kernel, too."""

    kind: str
    period: int

    @property
    def lookback(self) -> int:
        """All windows start when they are full."""
        return self.period if self.kind == "lag" else self.period - 1

    @property
    def inline(self) -> tuple[str, ...]:
        """The value before, and sums."""
        if self.kind == "lag" and self.period == 1:
            return ("{v} = {s}.last", "{s}.last = {x}")
        if self.kind == "total":
            return (
                "{s}.block.append({x})",
                "{s}.prefix = {v} = {s}.prefix + {x}",
                "{v} = {s}.older.pop() + {v} if {s}.older else {s}.turn({v})",
            )
        return ()

    def stream(self, *, scalar: bool) -> Stream:
        """A fresh stream."""
        period = self.period
        match self.kind:
            case "lag":
                return PreviousStream() if period == 1 else LagStream(period)
            case "total":
                return SumStream(period)
            case "highest":
                return TwoStacks(period, _larger if scalar else np.maximum)
            case "lowest":
                return TwoStacks(period, _smaller if scalar else np.minimum)
            case "weighted":
                return WeightedStream(period)
            case "variance":
                return VarianceStream(period, scalar=scalar)
            case "deviation":
                return DeviationStream(period, scalar=scalar)
            case "bars_since_high":
                return AgeStream(period, 1.0, scalar=scalar)
            case _:  # bars_since_low
                return AgeStream(period, -1.0, scalar=scalar)

    def runner(self, kernels: Any) -> WindowRunner:
        """A fresh runner."""
        return WindowRunner(self, getattr(kernels, self.kind))


class WindowRunner:
    """Keeps the last values between blocks."""

    def __init__(self, op: Window, kernel: Any) -> None:
        self.op = op
        self.kernel = kernel
        self.tail: np.ndarray | None = None

    def feed(self, block: np.ndarray) -> np.ndarray:
        """Take the next block of rows x bars."""
        lookback = self.op.lookback
        joined = block if self.tail is None else np.concatenate((self.tail, block), axis=1)
        # A copy: the caller may write to his array, and a view would keep the whole block alive.
        self.tail = joined[:, max(0, joined.shape[1] - lookback) :].copy()
        if joined.shape[1] <= lookback:
            return joined[:, :0]
        found: np.ndarray = self.kernel(joined, self.op.period)
        return found

    def resume(self) -> Stream:
        """A stream that has seen the last values."""
        stream = self.op.stream(scalar=True)
        if self.tail is not None:
            for value in self.tail[0].tolist():
                stream.step(value)
        return stream
