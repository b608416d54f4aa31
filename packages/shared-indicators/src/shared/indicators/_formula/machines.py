# ruff: noqa: FURB136, SIM108 - calls of max and min cost more than the rest of a turn
"""Recurrences with branches: state machines over bars.

Each is written twice: for floats (streams, and compiled by numba as it stands) and for arrays of one
value per symbol (ticks of a panel). A state is a tuple of floats, the first of them 0.0 at the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .expr import Op, Stream

if TYPE_CHECKING:
    from collections.abc import Callable


def follow(state: Any, value: Any, share: Any, before: Any, _a: float, _b: float) -> Any:
    """Move towards the value by its share; starts at the value before the first."""
    y = before if state[0] == 0.0 else state[1]
    y = y + share * (value - y)
    return (1.0, y), (y,)


def parabolic(state: Any, high: Any, low: Any, _close: Any, step: float, top: float) -> Any:
    """Stop and reverse. The first bar only shows where the second one goes."""
    seen, up, sar, extreme, speed, high_1, low_1 = state
    if seen == 0.0:
        return (1.0, up, sar, extreme, speed, high, low), (np.nan,)
    if seen == 1.0:
        fall = low_1 - low
        up = 0.0 if fall > 0.0 and high - high_1 < fall else 1.0
        extreme, sar = (high, low_1) if up == 1.0 else (low, high_1)
        speed, high_1, low_1 = step, high, low
    ceiling = high if high > high_1 else high_1
    floor = low if low < low_1 else low_1
    shown = sar
    if up == 1.0:
        if low <= sar:
            up, speed = 0.0, step
            shown = extreme if extreme > ceiling else ceiling
            extreme = low
        elif high > extreme:
            extreme = high
            speed = speed + step if speed + step < top else top
    elif high >= sar:
        up, speed = 1.0, step
        shown = extreme if extreme < floor else floor
        extreme = high
    elif low < extreme:
        extreme = low
        speed = speed + step if speed + step < top else top
    sar = shown + speed * (extreme - shown)
    if up == 1.0:
        sar = sar if sar < floor else floor
    else:
        sar = sar if sar > ceiling else ceiling
    return (2.0, up, sar, extreme, speed, high, low), (shown,)


def parabolic_of_each(state: Any, high: Any, low: Any, _close: Any, step: float, top: float) -> Any:
    """Turn as `parabolic` does, on arrays."""
    seen, up, sar, extreme, speed, high_1, low_1 = state
    if seen == 0.0:
        return (1.0, up, sar, extreme, speed, high, low), (np.full(high.shape, np.nan),)
    if seen == 1.0:
        fall = low_1 - low
        up = ~((fall > 0.0) & (high - high_1 < fall))
        extreme, sar = np.where(up, high, low), np.where(up, low_1, high_1)
        speed, high_1, low_1 = np.full(high.shape, step), high, low
    ceiling, floor = np.maximum(high_1, high), np.minimum(low_1, low)
    turns = np.where(up, low <= sar, high >= sar)
    shown = np.where(
        turns, np.where(up, np.maximum(extreme, ceiling), np.minimum(extreme, floor)), sar
    )
    further = ~turns & np.where(up, high > extreme, low < extreme)
    speed = np.where(turns, step, np.where(further, np.minimum(speed + step, top), speed))
    up = up ^ turns
    extreme = np.where(turns | further, np.where(up, high, low), extreme)
    sar = shown + speed * (extreme - shown)
    sar = np.where(up, np.minimum(sar, floor), np.maximum(sar, ceiling))
    return (2.0, up, sar, extreme, speed, high, low), (shown,)


def trail(state: Any, close: Any, upper: Any, lower: Any, start: float, _b: float) -> Any:
    """Return the band that the close has not crossed: the upper one in a downtrend; `start` 1 is up, 0 down."""
    seen, up, upper_1, lower_1, close_1 = state
    if seen == 1.0:
        if not (upper < upper_1 or close_1 > upper_1):
            upper = upper_1
        if not (lower > lower_1 or close_1 < lower_1):
            lower = lower_1
        # A band holds until the close is beyond it.
        up = (0.0 if close < lower else 1.0) if up == 1.0 else (1.0 if close > upper else 0.0)
    else:
        up = start
    return (1.0, up, upper, lower, close), (lower if up == 1.0 else upper, 2.0 * up - 1.0)


def trail_of_each(state: Any, close: Any, upper: Any, lower: Any, start: float, _b: float) -> Any:
    """Turn as `trail` does, on arrays."""
    seen, up, upper_1, lower_1, close_1 = state
    if seen == 1.0:
        upper = np.where((upper < upper_1) | (close_1 > upper_1), upper, upper_1)
        lower = np.where((lower > lower_1) | (close_1 < lower_1), lower, lower_1)
        up = np.where(up, ~(close < lower), close > upper)
    else:
        up = np.full(close.shape, start == 1.0)
    return (1.0, up, upper, lower, close), (np.where(up, lower, upper), np.where(up, 1.0, -1.0))


def anchored(state: Any, money: Any, volume: Any, session: Any, _a: float, _b: float) -> Any:
    """Divide money by volume, both since the session began."""
    seen, last, paid, traded = state
    if seen == 0.0 or session != last:
        paid, traded = 0.0, 0.0
    paid, traded = paid + money, traded + volume
    return (1.0, session, paid, traded), (paid / traded if traded != 0.0 else np.nan,)


def anchored_of_each(
    state: Any, money: Any, volume: Any, session: Any, _a: float, _b: float
) -> Any:
    """Turn as `anchored` does, on arrays."""
    seen, last, paid, traded = state
    if seen == 0.0:
        paid, traded = np.zeros(money.shape), np.zeros(money.shape)
    else:
        fresh = session != last
        paid, traded = np.where(fresh, 0.0, paid), np.where(fresh, 0.0, traded)
    paid, traded = paid + money, traded + volume
    found = np.full(money.shape, np.nan)
    np.divide(paid, traded, out=found, where=traded != 0.0)
    return (1.0, session, paid, traded), (found,)


# name: (on floats, on arrays, size of the state, outputs, lookback)
MACHINES: dict[str, tuple[Callable[..., Any], Callable[..., Any], int, int, int]] = {
    "follow": (follow, follow, 2, 1, 0),
    "parabolic": (parabolic, parabolic_of_each, 7, 1, 1),
    "anchored": (anchored, anchored_of_each, 4, 1, 0),
    "trail": (trail, trail_of_each, 5, 2, 0),
}


@dataclass(frozen=True)
class Machine(Op):
    """A state machine on three inputs with two parameters; its outputs are a tuple."""

    name: str
    a: float = 0.0
    b: float = 0.0

    @property
    def lookback(self) -> int:
        """Bars that only set the state."""
        return MACHINES[self.name][4]

    def inline(self, *, scalar: bool) -> tuple[str, ...]:
        """Write a turn on floats; the outputs of a machine are separate variables."""
        if not scalar:
            return ()
        if self.name == "follow":
            return (
                "_, {v}_0 = {s}.state",
                "{v}_0 = {v}_0 + {x1} * ({x0} - {v}_0)",
                "{s}.state = 1.0, {v}_0",
            )
        outputs = ", ".join(f"{{v}}_{i}" for i in range(MACHINES[self.name][3]))
        given = f"{{x0}}, {{x1}}, {{x2}}, {self.a!r}, {self.b!r}"
        return (f"{{s}}.state, ({outputs},) = {{s}}.turn({{s}}.state, {given})",)

    @property
    def states(self) -> int:
        """The state of the machine."""
        return MACHINES[self.name][2]

    def stream(self, *, scalar: bool) -> Stream:
        """Make a new stream."""
        return MachineStream(self, (0.0,) * self.states, scalar=scalar)

    def runner(self, kernels: Any) -> MachineRunner:
        """Make a new runner."""
        return MachineRunner(self, kernels.machine)


class MachineStream:
    """A machine and its state."""

    __slots__ = ("op", "silent", "state", "turn")

    def __init__(self, op: Machine, state: Any, *, scalar: bool, seen: int = 0) -> None:
        self.op = op
        self.turn = MACHINES[op.name][0] if scalar else MACHINES[op.name][1]
        self.state = state
        self.silent = max(0, op.lookback - seen)

    def stand(self, state: list[float]) -> None:
        """Continue from a state after the lookback."""
        self.state, self.silent = tuple(state), 0

    def step(self, first: Any, second: Any, third: Any) -> Any:
        """Take a bar; return the tuple of outputs."""
        self.state, found = self.turn(self.state, first, second, third, self.op.a, self.op.b)
        if self.silent:
            self.silent -= 1
            return None
        return found


class MachineRunner:
    """A machine over blocks of bars."""

    def __init__(self, op: Machine, kernel: Any) -> None:
        self.op = op
        self.kernel = kernel
        self.seen = 0
        self.states: np.ndarray | None = None

    def feed(self, *blocks: np.ndarray) -> tuple[np.ndarray, ...]:
        """Take the next block of rows x bars."""
        _, _, _, outputs, lookback = MACHINES[self.op.name]
        if self.states is None:
            self.states = np.zeros((blocks[0].shape[0], self.op.states))
        found = np.empty((outputs, *blocks[0].shape))
        self.kernel(self.op.name, blocks, self.op.a, self.op.b, self.states, found)
        silent = max(0, lookback - self.seen)
        self.seen += blocks[0].shape[1]
        return tuple(found[:, :, silent:])

    def resume(self) -> Stream:
        """Return a stream in the same state."""
        if self.states is None:
            return self.op.stream(scalar=True)
        return MachineStream(self.op, tuple(self.states[0].tolist()), scalar=True, seen=self.seen)
