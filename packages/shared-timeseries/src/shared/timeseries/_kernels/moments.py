"""Sums, means and deviations of sliding windows, in NumPy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .._time.types import Float64s, Int64s

BLOCK = 1 << 15  # cells of windows that are laid out at once: they stay in the cache


def finite_moments(values: Float64s, window: int, stat: str) -> Float64s:
    """Return the mean, sum, deviation or z-score of windows without NaN, by running sums.

    Running sums start again for each piece that fits the cache, counted from the level of its first
    window. Windows whose spread is so far below that of the piece so far that rounding would show are
    computed separately. What comes after a window changes no bit of it. All passes write into the same few buffers: new arrays would cost
    more in page faults than the arithmetic does.

    The sums of values and of squares run as one, as the two parts of complex numbers: each
    addition waits for the one before it, and so two can wait together.
    """
    size, piece = len(values), max(1 << 14, 2 * window)
    out = np.empty(size)
    squared = stat in {"std", "zscore"}
    kind = np.complex128 if squared else np.float64
    cells: Any = np.empty(piece + window, kind)
    sums_of: Any = np.empty(piece, kind)
    ahead: Any = np.zeros(piece + window, kind)
    spread_of, mean_of = (np.empty(piece) for _ in range(2))
    for begin in range(0, size, piece):
        low = max(0, begin - window + 1)
        part = values[low : begin + piece]
        level = float(part[: begin - low + 1].mean())
        away = np.subtract(part, level, out=cells.real[: len(part)])
        if squared:
            np.multiply(away, away, out=cells.imag[: len(part)])
        first = begin - low  # of the part's values, the first that is to be answered
        stop, count = len(part) + 1, len(part) - first
        np.cumsum(cells[: len(part)], out=ahead[1:stop])
        known: Any = float(window)
        if begin < window:
            ends = np.arange(first + 1, stop)
            begins = np.maximum(ends - window, 0)
            known = (ends - begins).astype(np.float64)
            both = np.subtract(ahead[ends], ahead[begins], out=sums_of[:count])
        else:
            new, old = slice(first + 1, stop), slice(first + 1 - window, stop - window)
            both = np.subtract(ahead[new], ahead[old], out=sums_of[:count])
        sums, target = both.real, out[begin : begin + count]
        if not squared:
            np.add(sums, level * known, out=target)
            rounding: Any = 2.3e-16 * max(float(ahead[:stop].max()), -float(ahead[:stop].min()))
            doubtful = np.flatnonzero(np.abs(target) * 1e-10 < rounding)
            if len(doubtful):
                rounding = 2.3e-16 * np.maximum.accumulate(np.abs(ahead[:stop]))[first + 1 :]
                doubtful = np.flatnonzero(np.abs(target) * 1e-10 < rounding)
            if len(doubtful):
                target[doubtful] = _one_by_one(values, begin + doubtful, window, "sum")
            if stat == "mean":
                target /= known
            continue
        mean = np.multiply(sums, 1 / known, out=mean_of[:count])
        squares = np.multiply(mean, sums, out=spread_of[:count])
        squares = np.subtract(both.imag, squares, out=squares)
        least = 1e-6 * ahead.imag[stop - 1]
        doubtful = (
            np.empty(0, np.int64)
            if squares.min() > least
            else np.flatnonzero(~(squares > 1e-6 * ahead.imag[first + 1 : stop]))
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            squares *= 1 / (known - 1)
            if stat == "std":
                np.sqrt(squares, out=target)
            else:
                np.subtract(away[first:], mean, out=mean)
                np.divide(mean, np.sqrt(squares, out=squares), out=target)
        if len(doubtful):
            target[doubtful] = _one_by_one(values, begin + doubtful, window, stat)
    return out


def _one_by_one(values: Float64s, places: Int64s, window: int, stat: str) -> Float64s:
    """Return the deviation or z-score of the windows that end at some places, each in two passes."""
    out = np.empty(len(places))
    early = np.flatnonzero(places < window - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        for i in early.tolist():
            part = values[: places[i] + 1]
            if stat == "sum":
                out[i] = part.sum()
                continue
            spread = part.std(ddof=1) if len(part) > 1 else np.nan
            out[i] = spread if stat == "std" else (part[-1] - part.mean()) / (spread or np.nan)
        rest = places[len(early) :] - window + 1
        views = np.lib.stride_tricks.sliding_window_view(values, window)
        step = max(1, BLOCK // window)
        for begin in range(0, len(rest), step):
            part = views[rest[begin : begin + step]]
            if stat == "sum":
                out[len(early) + begin : len(early) + begin + len(part)] = part.sum(axis=1)
                continue
            mean = part.mean(axis=1, keepdims=True)
            same = part.min(axis=1) == part.max(axis=1)  # the mean of equals may round
            spread = np.where(same, 0.0, np.sqrt(((part - mean) ** 2).sum(axis=1) / (window - 1)))
            if stat == "zscore":
                spread = (part[:, -1] - mean[:, 0]) / np.where(spread > 0, spread, np.nan)
            out[len(early) + begin : len(early) + begin + len(part)] = spread
    return out


def slide(kernel: Any, values: Float64s, window: int, neutral: float) -> Float64s:
    """Reduce each window from the end of one block and the start of the next.

    Blocks are as long as the window, so each sum starts from nothing and nothing cancels
    (van Herk 1992, Gil and Werman 1993).
    """
    size = len(values)
    blocks = -(-size // window)
    padded = np.full((blocks, window), neutral)
    padded.reshape(-1)[:size] = values
    ahead = kernel.accumulate(padded, axis=1).reshape(-1)[:size]
    behind = kernel.accumulate(padded[:, ::-1], axis=1)[:, ::-1].reshape(-1)
    out: Float64s = ahead.copy()
    if size > window:
        # The window that ends at i starts at i - window + 1: the rest of the block before.
        ends = np.arange(window, size)
        whole = (ends + 1) % window == 0
        joined = kernel(ahead[window:], behind[1 : size - window + 1])
        out[window:] = np.where(whole, ahead[window:], joined)
    return out


def moments(
    values: Float64s, gone: Any, window: int, counts: Float64s
) -> tuple[Float64s, Float64s, Float64s]:
    """Return the mean, sum of squared deviations and sum of each window.

    Each block of values is counted from its own mean, so that a large level does not cancel.
    """
    size = len(values)
    blocks = -(-size // window)
    padded = np.zeros((blocks, window))
    there = np.zeros((blocks, window))
    padded.reshape(-1)[:size] = np.where(gone, 0.0, values)
    there.reshape(-1)[:size] = ~gone
    known = there.sum(axis=1)
    with np.errstate(invalid="ignore"):
        level = padded.sum(axis=1) / np.maximum(known, 1)
    away = (padded - level[:, None]) * there
    flat = np.repeat(level, window)[:size]

    def both(cells: Float64s) -> tuple[Float64s, Float64s]:
        ahead = np.add.accumulate(cells, axis=1).reshape(-1)[:size]
        behind = np.add.accumulate(cells[:, ::-1], axis=1)[:, ::-1].reshape(-1)
        joined = np.zeros(size)
        if size > window:
            part = behind[1 : size - window + 1]
            joined[window:] = np.where((np.arange(window, size) + 1) % window == 0, 0.0, part)
        return ahead, joined

    one, two = both(away)
    one_2, two_2 = both(away * away)
    count_1 = np.add.accumulate(there, axis=1).reshape(-1)[:size]
    count_2 = counts - count_1
    step = np.zeros(size)
    step[window:] = flat[:-window] - flat[window:]  # the level of the block before, from here
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_1 = one / np.maximum(count_1, 1)
        mean_2 = two / np.maximum(count_2, 1) + step
        squares = (one_2 - one * mean_1) + (two_2 - two * (two / np.maximum(count_2, 1)))
        between = mean_1 - mean_2
        squares += between * between * (count_1 * count_2 / np.maximum(counts, 1))
        away_sum = one + two + step * count_2
        mean = flat + away_sum / counts
    squares = np.maximum(squares, 0.0)
    # What rounding leaves of a constant window is neither a deviation nor a mean beside its value.
    low = slide(np.minimum, np.where(gone, np.inf, values), window, np.inf)
    high = slide(np.maximum, np.where(gone, -np.inf, values), window, -np.inf)
    sums = flat * counts + away_sum
    same = (low == high) & np.isfinite(low)
    squares[same], mean[same], sums[same] = 0.0, low[same], low[same] * counts[same]
    return mean, squares, sums
