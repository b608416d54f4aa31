"""The stop that turns with the trend."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import compiled, finite_run


@compiled
def _parabolic(high: Any, low: Any, step: float, top: float, out: Any, states: Any) -> None:
    """Run one row: `parabolic` of the machines, with a branch for each direction."""
    fall = low[0] - low[1]
    up = not (fall > 0.0 and high[1] - high[0] < fall)
    extreme, sar = (high[1], low[0]) if up else (low[1], high[0])
    speed, high_1, low_1 = step, high[1], low[1]
    out[0] = np.nan
    for i in range(1, high.size):
        hi, lo = high[i], low[i]
        ceiling, floor = max(hi, high_1), min(lo, low_1)
        high_1, low_1 = hi, lo
        if up:
            if lo <= sar:
                up, speed = False, step
                sar = max(extreme, ceiling)
                out[i] = sar
                extreme = lo
                sar = max(sar + step * (extreme - sar), ceiling)
            else:
                out[i] = sar
                # Without a branch: what is new is as good as random.
                faster = min(speed + step, top)
                speed = faster if hi > extreme else speed
                extreme = max(hi, extreme)
                sar = min(sar + speed * (extreme - sar), floor)
        elif hi >= sar:
            up, speed = True, step
            sar = min(extreme, floor)
            out[i] = sar
            extreme = hi
            sar = min(sar + step * (extreme - sar), floor)
        else:
            out[i] = sar
            faster = min(speed + step, top)
            speed = faster if lo < extreme else speed
            extreme = min(lo, extreme)
            sar = max(sar + speed * (extreme - sar), ceiling)
    states[0], states[1], states[2], states[3] = 2.0, 1.0 if up else 0.0, sar, extreme
    states[4], states[5], states[6] = speed, high_1, low_1


@compiled
def _sar(high: Any, low: Any, step: float, top: float, out: Any, fine: Any, states: Any) -> None:
    for r in range(high.shape[0]):
        fine[r] = finite_run(high[r]) and finite_run(low[r])
        _parabolic(high[r], low[r], step, top, out[r], states[r])


def _run_sar(given: Any, inputs: Any, outputs: Any, fine: Any) -> Any:
    states = np.empty((len(fine), 7))
    _sar(*inputs, min(given), given[1], *outputs, fine, states)
    return states


LOOPS = {
    "ParabolicSAR": _run_sar,
}
