"""A price and the one some bars ago."""

from __future__ import annotations

from typing import Any

from .jit import blank, compiled, finite_run
from .vectors import div, fma, load, mul, splat, store, sub, summed, where_zero


@compiled
def _changes(now: Any, before: Any, relative: bool, out: Any) -> Any:
    """Write differences, or relative changes in percent; return whether all values from then to now are finite."""
    n, zero, one, hundred = out.size, splat(0.0), splat(1.0), splat(100.0)
    bad = zero
    for i in range(0, n - 7, 8):
        a, b = load(now, i), load(before, i)
        bad = fma(a, zero, bad)
        if relative:
            store(out, i, where_zero(b, zero, mul(sub(div(a, b), one), hundred)))
        else:
            store(out, i, sub(a, b))
    rest = summed(bad)
    for i in range(n // 8 * 8, n):
        rest += now[i] * 0.0
        if relative:
            out[i] = (now[i] / before[i] - 1.0) * 100.0 if before[i] != 0.0 else 0.0
        else:
            out[i] = now[i] - before[i]
    return rest == 0.0


@compiled
def _momentum(x: Any, period: int, relative: bool, out: Any, fine: Any) -> None:
    for r in range(x.shape[0]):
        row, to = x[r], out[r]
        blank(to, period)
        known = finite_run(row[:period])
        fine[r] = _changes(row[period:], row[:-period], relative, to[period:]) and known


def _run_momentum(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _momentum(*inputs, given[0], False, *outputs, fine)  # noqa: FBT003


def _run_roc(given: Any, inputs: Any, outputs: Any, fine: Any) -> None:
    _momentum(*inputs, given[0], True, *outputs, fine)  # noqa: FBT003


LOOPS = {
    "Momentum": _run_momentum,
    "ROC": _run_roc,
}
