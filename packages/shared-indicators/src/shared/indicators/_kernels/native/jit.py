"""How loops are compiled, and what all of them need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

# Bars of a tile: what lies between the input and the output of one stays in the first cache.
TILE = 1024

_jit: Any = njit(cache=True, nogil=True, error_model="numpy", boundscheck=False)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function when it is first called."""
    found: Callable[..., Any] = _jit(function)
    return found


@compiled
def finite_run(part: Any) -> bool:
    """Return whether no value of a contiguous run is NaN or infinite."""
    bad = 0
    for i in range(part.size):
        # NaN and infinities times zero are NaN, and only NaN differs from itself.
        bad += part[i] * 0.0 != 0.0
    return bad == 0


def tiles(lookback: int, count: int, bars: int = TILE) -> Any:
    """Allocate `count` values per bar of a tile, for what lies between input and output: whole eights."""
    return np.empty((count, max(bars, (lookback + 8) // 8 * 8) + lookback))


@compiled
def blank(row: Any, bars: int) -> None:
    """Write NaN for the bars before the first value."""
    for i in range(bars):
        row[i] = np.nan


# Loops over eight bars at a time read the last bars, fewer than eight, from a separate buffer.


@compiled
def take_rest(row: Any, start: int, rest: Any) -> None:
    """Copy the bars from `start` on; the last one is repeated where there are no more."""
    for i in range(rest.size):
        rest[i] = row[min(start + i, row.size - 1)]


@compiled
def put_rest(rest: Any, start: int, row: Any) -> None:
    """Write the bars from `start` on."""
    for i in range(start, row.size):
        row[i] = rest[i - start]
