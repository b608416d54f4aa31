"""Which values may lie far from the values before them, found in one cheap pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .fast import wants_fast

if TYPE_CHECKING:
    from .._time.types import Float64s, Int64s

_PIECE = 1 << 14  # values whose sums the cache holds
_SLACK = 1e-6  # of squares; what rounding may change is less, see `doubtful` below
_SMALL, _LARGE = 1e-200, 1e200


def plain(values: Float64s) -> bool:
    """Return whether all values are finite and their squares, and sums of them, well within the range."""
    parts = (
        values[i : i + 8192] for i in range(0, len(values), 8192)
    )  # too short for BLAS' threads
    with np.errstate(over="ignore", invalid="ignore"):
        squares = sum(float(np.dot(part, part)) for part in parts)
    return _SMALL < squares < _LARGE


def suspects(values: Float64s, window: int, threshold: float) -> Int64s:
    """Return the positions of values that may lie beyond the threshold, in deviations of the `window` before.

    Values are plain; positions before `window` are left out. All that do lie beyond are returned,
    with others so close to it, or in windows of so little spread, that sums cannot tell.

    A distance d from the mean s / w is too far if d * d > limit * (squares - s * s / w): no root and
    no quotient for each value, and every pass writes into the same buffers.
    """
    limit = threshold * threshold / (window - 1) * (1 - _SLACK)
    if wants_fast(None, len(values)):
        from .compiled import far_from_before

        compiled: Int64s = far_from_before(values, window, limit)
        return compiled
    piece = max(_PIECE, 2 * window)
    away, squared = np.empty(piece + window), np.empty(piece + window)
    ahead, ahead_2 = np.zeros(piece + window + 1), np.zeros(piece + window + 1)
    sums_of, squares_of, mean_of = (np.empty(piece) for _ in range(3))
    found = []
    for begin in range(window, len(values), piece):
        part = values[begin - window : begin + piece]
        size, count = len(part), len(part) - window
        np.subtract(part, float(part[:window].mean()), out=away[:size])
        np.multiply(away[:size], away[:size], out=squared[:size])
        np.cumsum(away[:size], out=ahead[1 : size + 1])
        np.cumsum(squared[:size], out=ahead_2[1 : size + 1])
        sums = np.subtract(ahead[window:size], ahead[:count], out=sums_of[:count])
        rest = np.subtract(ahead_2[window:size], ahead_2[:count], out=squares_of[:count])
        mean = np.multiply(sums, 1 / window, out=mean_of[:count])
        np.subtract(rest, np.multiply(sums, mean, out=sums), out=rest)
        least = 1e-6 * float(ahead_2[size])
        doubtful = rest <= least if rest.min() <= least else None
        far = np.subtract(away[window:size], mean, out=mean)
        np.multiply(far, far, out=far)
        hits = far > np.multiply(rest, limit, out=rest)
        if doubtful is not None:
            hits = np.where(doubtful, _moved(part, window), hits)
        found.append(np.flatnonzero(hits) + begin)
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _moved(part: Float64s, window: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which values differ from the one before, or have different ones in their window."""
    changes = np.zeros(len(part), np.int64)
    np.cumsum(part[1:] != part[:-1], out=changes[1:])
    moved: np.ndarray[Any, np.dtype[np.bool_]] = changes[window:] > changes[: len(part) - window]
    return moved


def moments_before(values: Float64s, places: Int64s, window: int) -> tuple[Float64s, Float64s]:
    """Return the mean and deviation of the whole windows before some places, each in two passes."""
    center, scale = np.empty(len(places)), np.empty(len(places))
    if not len(places):
        return center, scale
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    step = max(1, (1 << 15) // window)
    for begin in range(0, len(places), step):
        some = slice(begin, begin + step)
        block = views[places[some] - window]
        mean = block.mean(axis=1)
        rest = block - mean[:, None]
        np.multiply(rest, rest, out=rest)
        same = block.min(axis=1) == block.max(axis=1)  # the mean of equals may round
        center[some] = np.where(same, block[:, 0], mean)
        scale[some] = np.where(same, 0.0, np.sqrt(rest.sum(axis=1) / (window - 1)))
    return center, scale
