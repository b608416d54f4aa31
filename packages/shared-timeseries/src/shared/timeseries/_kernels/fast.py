"""The compiled path: the `fast` extra (numba), with the answers of the NumPy path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .._time.types import Float64s, Int64s

FAST_NAMES = frozenset({"avg", "sum", "min", "max", "count"})
_LARGE = 500_000  # below this, importing numba and compiling cost more than they save


class UnsortedError(Exception):
    """Times are not in order, seen while they were read."""


def wants_fast(asked: bool | None, size: int) -> bool:
    """Return whether to take the compiled path.

    Raises:
        ModuleNotFoundError: It was insisted on and the extra is not installed.
    """
    if asked is False:
        return False
    if asked is None and size < _LARGE:
        return False
    try:
        import numba  # noqa: F401
    except ModuleNotFoundError as error:
        if asked:
            raise ModuleNotFoundError(
                "fast=True needs numba: pip install 'shared-timeseries[fast]'"
            ) from error
        return False
    return True


def fast_sums(
    ns: Int64s, numbers: Float64s, edges: Int64s, closed_end: int | None, *, asked: bool = False
) -> tuple[Int64s, dict[str, Float64s]]:
    """Return the count, sum, average, minimum and maximum of each window in one pass.

    Raises:
        UnsortedError: It was `asked` whether the times are in order, and they are not.
    """
    from .compiled import window_sums

    if closed_end is not None:
        edges = edges.copy()
        edges[-1] = closed_end + 1
    counts, sums, lows, highs = window_sums(ns, numbers, edges, asked)
    if not len(counts):
        raise UnsortedError
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    found: dict[str, Any] = {
        "count": counts.astype(np.float64),
        "sum": sums,
        "avg": means,
        "min": lows,
        "max": highs,
    }
    return counts, found
