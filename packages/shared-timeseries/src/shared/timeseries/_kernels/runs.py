"""Aggregates of consecutive runs of values, in NumPy alone."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .._time.types import Float64s, Int64s

NAMES = ("avg", "sum", "min", "max", "count", "first", "last", "std", "median", "p50", "p95", "p99")
PIECE = 1 << 16  # values that are processed together: the cache holds them
SHORT = 256  # up to here NumPy sorts a row faster than it partitions it and finds the next value


def quantile_of(name: str) -> float | None:
    """Return 0.95 for `p95`, 0.5 for `median`; None for any other name."""
    if name == "median":
        return 0.5
    if name[:1] != "p":
        return None
    try:
        percent = float(name[1:])
    except ValueError:
        return None
    return percent / 100 if 0 <= percent <= 100 else None


def cuts_between(ns: Int64s, edges: Int64s) -> Int64s:
    """Return where each edge falls among the sorted times.

    A few edges are looked up in all times, those between them only in the times between: bisecting
    the whole for each would miss the cache at nearly every step.
    """
    if len(ns) <= PIECE:
        return np.searchsorted(ns, edges)
    step = max(1, len(edges) * PIECE // len(ns))
    coarse = [*np.searchsorted(ns, edges[::step]).tolist(), len(ns)]
    out = np.empty(len(edges), np.int64)
    for i, (begin, stop) in enumerate(pairwise(coarse)):
        some = slice(i * step, (i + 1) * step)
        np.add(np.searchsorted(ns[begin:stop], edges[some]), begin, out=out[some])
    return out


def reduce_runs(
    values: Float64s, starts: Int64s, stops: Int64s, names: list[str]
) -> dict[str, Float64s]:
    """Return aggregates of `values[starts[i]:stops[i]]`; runs are consecutive and none is empty."""
    if not len(starts):
        return {name: np.empty(0) for name in names}
    shares = {name: share for name in names if (share := quantile_of(name)) is not None}
    out = {name: np.empty(len(starts)) for name in names if name not in shares}
    step = max(1, len(starts) * PIECE // int(stops[-1] - starts[0]))
    for low in range(0, len(starts) if out else 0, step):
        some = slice(low, low + step)
        columns = {name: column[some] for name, column in out.items()}
        _reduce_piece(values, starts[some], stops[some], columns)
    if shares:
        part = values[starts[0] : stops[-1]]
        found = quantile_runs(part, starts - starts[0], stops - starts, list(shares.values()))
        out |= dict(zip(shares, found, strict=True))
    return out


def _reduce_piece(
    values: Float64s, starts: Int64s, stops: Int64s, out: dict[str, Float64s]
) -> None:
    """Return aggregates of runs whose values the cache holds while each is computed."""
    part = values[starts[0] : stops[-1]]
    offsets = starts - starts[0]
    if "sum" in out:
        np.add.reduceat(part, offsets, out=out["sum"])
    for name, column in out.items():
        if name == "count":
            np.subtract(stops, starts, out=column, casting="unsafe")
        elif name == "avg":
            sums = out["sum"] if "sum" in out else np.add.reduceat(part, offsets)
            np.divide(sums, stops - starts, out=column)
        elif name == "min":
            np.minimum.reduceat(part, offsets, out=column)
        elif name == "max":
            np.maximum.reduceat(part, offsets, out=column)
        elif name == "first":
            column[:] = part[offsets]
        elif name == "last":
            column[:] = values[stops - 1]
        elif name == "std":
            column[:] = _std_runs(part, offsets, stops - starts)
        elif name != "sum":
            raise AssertionError(name)


def _std_runs(values: Float64s, offsets: Int64s, counts: Int64s) -> Float64s:
    """Return the sample standard deviation in two passes; NaN for a single value."""
    means = np.add.reduceat(values, offsets) / counts
    away = values - np.repeat(means, counts)
    away *= away
    with np.errstate(invalid="ignore", divide="ignore"):
        spread: Float64s = np.sqrt(np.add.reduceat(away, offsets) / (counts - 1))
    return spread


def quantile_runs(
    values: Float64s, offsets: Int64s, counts: Int64s, shares: list[float]
) -> list[Float64s]:
    """Return the linear quantiles of each run: runs of one length are sorted together as a matrix."""
    out = [np.empty(len(counts)) for _ in shares]
    order = np.argsort(counts, kind="stable")
    sizes, begins = np.unique(counts[order], return_index=True)
    for size, begin, stop in zip(
        sizes.tolist(), begins.tolist(), [*begins[1:].tolist(), len(order)], strict=True
    ):
        rows = order[begin:stop]
        step = max(1, 4_000_000 // size)  # bounded memory
        for low in range(0, len(rows), step):
            some = rows[low : low + step]
            begin_at = int(offsets[some[0]])
            if offsets[some[-1]] - begin_at == size * (len(some) - 1):  # they lie side by side
                block = values[begin_at : begin_at + size * len(some)].reshape(-1, size)
            else:
                block = values[offsets[some][:, None] + np.arange(size)]
            if len(shares) == 1:
                out[0][some] = row_quantile(block, shares[0])
                continue
            block = np.sort(block, axis=1)
            for column, share in zip(out, shares, strict=True):
                column[some] = interpolate_sorted(block, share)
    return out


def row_quantile(block: Float64s, share: float) -> Float64s:
    """Return the linear quantile of each row: short rows are sorted, long ones only partitioned."""
    if block.shape[1] <= SHORT:
        return interpolate_sorted(np.sort(block, axis=1), share)
    place = share * (block.shape[1] - 1)
    low = int(place)
    parted = np.partition(block, low, axis=1)
    left = parted[:, low]
    if low + 1 == block.shape[1]:
        return left.copy()
    right = parted[:, low + 1 :].min(axis=1)  # NaN, sorted last, makes it NaN
    weight = place - low
    with np.errstate(invalid="ignore"):  # inf - inf
        mixed = left + (right - left) * weight if weight else left
    return np.where(np.isnan(right), np.nan, np.where(left == right, left, mixed))


def interpolate_sorted(block: Float64s, share: float) -> Float64s:
    """Return the linear quantile of each sorted row; a NaN (sorted last) makes the row NaN."""
    place = share * (block.shape[1] - 1)
    low = int(place)
    high = min(low + 1, block.shape[1] - 1)
    left, right = block[:, low], block[:, high]
    weight = place - low
    with np.errstate(invalid="ignore"):  # inf - inf
        mixed = left + (right - left) * weight if weight else left
        mixed = np.where(left == right, left, mixed)
    last = block[:, -1]
    return np.where(np.isnan(last), np.nan, mixed)
