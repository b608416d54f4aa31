"""Operations over the last `period` values."""

from __future__ import annotations

from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from .expr import Op, Stream
from .streams import (
    DeviationStream,
    LagStream,
    PreviousStream,
    TwoStacks,
    VarianceStream,
    WeightedStream,
)

if TYPE_CHECKING:
    from .writer import Writer


def _newest_largest(older: tuple[Any, Any], newer: tuple[Any, Any]) -> tuple[Any, Any]:
    """Join (value, bar) of two neighbouring runs."""
    return newer if newer[0] >= older[0] else older


def _newest_largest_of_each(older: tuple[Any, Any], newer: tuple[Any, Any]) -> tuple[Any, Any]:
    stays = older[0] > newer[0]
    return np.where(stays, older[0], newer[0]), np.where(stays, older[1], newer[1])


class AgeStream:
    """How many bars ago the extreme of the window was; the newest of equals."""

    __slots__ = ("now", "sign", "stacks")

    def __init__(self, period: int, sign: float, *, scalar: bool) -> None:
        combine = _newest_largest if scalar else _newest_largest_of_each
        self.stacks = TwoStacks(period, combine, (-np.inf, 0.0))
        self.sign = sign
        self.now = 0.0

    def step(self, value: Any) -> Any:
        """Take a value; return the age of the extreme once the window is full."""
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

    def inline(self, *, scalar: bool) -> tuple[str, ...]:
        """Write the same steps as `step` of the streams; sums are alike for floats and arrays."""
        down = ("{s}.ring[{s}.at] = {x}", "{s}.at -= 1")
        turn = f"{{s}}.at, {{s}}.prefix = {self.period}"
        match self.kind:
            case "lag":
                if self.period == 1:
                    return ("{v} = {s}.last", "{s}.last = {x}")
                return ("{v} = {s}.past[0]", "{s}.past.append({x})")
            case "total":
                return (
                    "{s}.prefix = {v} = {s}.prefix + {x}",
                    *down,
                    "{v} = {s}.ring[{s}.at] + {v}",
                    "if not {s}.at:",
                    f"    {turn}, 0.0",
                    "    {s}.ring = list(accumulate({s}.ring))",
                )
            case "weighted":
                return (
                    "{s}.passed = {s}.passed + {s}.plain",
                    "{s}.plain = {s}.plain + {x}",
                    *down,
                    f"{{v}} = {{s}}.ring[{{s}}.at] + ({self.period}.0 * {{s}}.plain - {{s}}.passed)",
                    "if not {s}.at:",
                    f"    {{s}}.at, {{s}}.plain, {{s}}.passed = {self.period}, 0.0, 0.0",
                    "    {s}.ring = list(accumulate(accumulate({s}.ring)))",
                )
            case "highest" | "lowest" if scalar:
                beyond, nothing = (">", "-inf") if self.kind == "highest" else ("<", "inf")
                return (
                    f"if {{x}} {beyond} {{s}}.prefix: {{s}}.prefix = {{x}}",
                    *down,
                    "{v} = {s}.ring[{s}.at]",
                    f"if {{s}}.prefix {beyond} {{v}}: {{v}} = {{s}}.prefix",
                    "if not {s}.at:",
                    f"    {turn}, {nothing}",
                    f"    top = {nothing}",
                    "    for i, past in enumerate({s}.ring):",
                    f"        if past {beyond} top: top = past",
                    "        else: {s}.ring[i] = top",
                )
            case _:
                return ()

    def emit(self, writer: Writer, place: int, args: list[str]) -> str:
        """Write the step; the previous value is a variable that is set when the bar is done."""
        if self.kind == "lag" and self.period == 1 and writer.scalar and not writer.warm:
            return writer.previous(place, args[0])
        return super().emit(writer, place, args)

    def stream(self, *, scalar: bool) -> Stream:
        """Make a new stream."""
        period = self.period
        match self.kind:
            case "lag":
                return PreviousStream() if period == 1 else LagStream(period)
            case "total":
                return TwoStacks(period, add, 0.0)
            case "highest":
                return TwoStacks(period, max if scalar else np.maximum, -np.inf)
            case "lowest":
                return TwoStacks(period, min if scalar else np.minimum, np.inf)
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
        """Make a new runner."""
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
        # A copy: the caller may write to its array, and a view would keep the whole block alive.
        self.tail = joined[:, max(0, joined.shape[1] - lookback) :].copy()
        if joined.shape[1] <= lookback:
            return joined[:, :0]
        found: np.ndarray = self.kernel(joined, self.op.period)
        return found

    def resume(self) -> Stream:
        """Return a stream that has seen the last values."""
        stream = self.op.stream(scalar=True)
        if self.tail is not None:
            for value in self.tail[0].tolist():
                stream.step(value)
        return stream
