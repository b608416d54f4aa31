"""A price and the one some bars ago."""

from __future__ import annotations

from typing import Any

from .jit import TILE, blank, compiled, finite_run


@compiled
def _momentum(x: Any, period: int, relative: bool, out: Any, fine: Any) -> None:
    bars = x.shape[1]
    for r in range(x.shape[0]):
        blank(out[r], period)
        fine[r] = finite_run(x[r, :period])
        for start in range(period, bars, TILE):
            stop = min(start + TILE, bars)
            now, before = x[r, start:stop], x[r, start - period : stop - period]
            if not finite_run(now):
                fine[r] = False
                break
            part = out[r, start:stop]
            if relative:
                for i in range(part.size):
                    quotient = now[i] / before[i]
                    part[i] = (quotient - 1.0) * 100.0 if before[i] != 0.0 else 0.0
            else:
                for i in range(part.size):
                    part[i] = now[i] - before[i]


def _run_momentum(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _momentum(*inputs, given[0], False, *outputs, fine)  # noqa: FBT003


def _run_roc(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _momentum(*inputs, given[0], True, *outputs, fine)  # noqa: FBT003


LOOPS = {
    "Momentum": _run_momentum,
    "ROC": _run_roc,
}
