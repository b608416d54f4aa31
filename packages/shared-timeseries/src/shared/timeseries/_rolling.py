"""Statistics of a sliding number of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._checks import whole
from ._fast import wants_fast
from ._kernels import quantile_of
from ._points import read_values

if TYPE_CHECKING:
    from ._types import Float64s, Int64s

STATS = ("mean", "sum", "min", "max", "std", "count", "median", "mad", "zscore")
_ALIASES = {"avg": "mean"}
_BLOCK = 1 << 22  # cells of a sorted block: 32 MB


def rolling(
    values: Any,
    window: int,
    stat: str = "mean",
    *,
    min_periods: int | None = None,
    fast: bool | None = None,
) -> Float64s:
    """A statistic of each value and the `window - 1` values before it.

    NaN values are left out of their windows.

    Args:
        values: Numbers in order of time, or a `TimeSeries`.
        window: How many values.
        stat: `mean sum min max std count median mad zscore` or any `pNN`. `std` is the
            sample's, `mad` the median absolute deviation (not scaled), `zscore` the value's
            distance from the window's mean in its standard deviations.
        min_periods: Windows with fewer known values are NaN; `window` when not given.
        fast: As for `aggregate_time_series`.

    Returns:
        As many values as came in.

    Example:
        >>> rolling([1, 2, 6, 3], 3, "median").tolist()
        [nan, nan, 2.0, 3.0]
    """
    numbers = read_values(values, "values")
    stat = _ALIASES.get(stat, stat)
    if stat not in STATS and quantile_of(stat) is None:
        raise ValueError(f"stat: {stat!r} is not one of {', '.join(STATS)} or any pNN")
    window = whole(window, "window", 1)
    least = window if min_periods is None else min_periods
    if not 0 <= least <= window:
        raise ValueError(f"min_periods: {min_periods} is not between 0 and window={window}")
    return roll(numbers, window, stat, least, fast)


def roll(
    values: Float64s, window: int, stat: str, least: int, fast: bool | None = None
) -> Float64s:
    """`rolling` for arguments that are already checked."""
    if not len(values):
        return np.empty(0)
    window = min(window, len(values))
    if stat in {"mean", "sum", "std", "zscore"} and window > 1 and np.isfinite(values.sum()):
        if stat in {"std", "zscore"} and wants_fast(fast, len(values)):
            from ._compiled import sliding_spread

            found: Float64s = sliding_spread(values, window, stat == "zscore")
        else:
            found = _finite_moments(values, window, stat)
        if least > 1:
            found[: least - 1] = np.nan
        return found
    gone = np.isnan(values)
    counts = _slide(np.add, (~gone).astype(np.float64), window, 0.0)
    share = quantile_of(stat)
    if stat == "count":
        return np.where(counts >= least, counts, np.nan)
    if stat in {"min", "max"}:
        edge = np.inf if stat == "min" else -np.inf
        kernel = np.minimum if stat == "min" else np.maximum
        out = _slide(kernel, np.where(gone, edge, values), window, edge)
        return np.where((counts >= least) & (counts > 0), out, np.nan)
    if share is not None or stat == "mad":
        out = _ordered(
            values, window, 0.5 if share is None else share, mad=stat == "mad", fast=fast
        )
        return np.where((counts >= least) & (counts > 0), out, np.nan)
    mean, squares, sums = _moments(values, gone, window, counts)
    return _finish(stat, values, mean, squares, sums, counts, least)


def _finish(
    stat: str,
    values: Float64s,
    mean: Float64s,
    squares: Float64s,
    sums: Float64s,
    counts: Float64s,
    least: int,
) -> Float64s:
    if stat == "sum":
        return np.where(counts >= least, sums, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        if stat == "mean":
            out = mean
        else:
            out = np.sqrt(squares / (counts - 1))
            if stat == "zscore":
                out = (values - mean) / np.where(out > 0, out, np.nan)
    return np.where((counts >= least) & (counts > 0), out, np.nan)


def _finite_moments(values: Float64s, window: int, stat: str) -> Float64s:
    """Mean, sum, deviation or z-score of windows without NaN, by running sums.

    Running sums start afresh for each piece that fits the cache, counted from the piece's
    mean. Windows whose spread is so far below the piece's that rounding would show are
    computed by themselves.
    """
    size, piece = len(values), max(1 << 14, 2 * window)
    out = np.empty(size)
    ahead, ahead_2 = np.zeros(piece + window), np.zeros(piece + window)
    for begin in range(0, size, piece):
        low = max(0, begin - window + 1)
        part = values[low : begin + piece]
        level = float(part.mean())
        away = part - level
        first = begin - low  # of the part's values, the first that is to be answered
        count = len(part) - first
        one, two = ahead[1 : len(part) + 1], ahead_2[1 : len(part) + 1]
        np.cumsum(away, out=one)
        squares = away * away
        np.cumsum(squares, out=two)
        ends = np.arange(first + 1, len(part) + 1)
        if low == 0 and begin < window:
            begins = np.maximum(ends - window, 0)
            known: Any = (ends - begins).astype(np.float64)
            sums, m2 = ahead[ends] - ahead[begins], ahead_2[ends] - ahead_2[begins]
        else:
            known = float(window)
            stop = len(part) + 1
            sums = ahead[first + 1 : stop] - ahead[first + 1 - window : stop - window]
            m2 = ahead_2[first + 1 : stop] - ahead_2[first + 1 - window : stop - window]
        target = out[begin : begin + count]
        if stat in {"mean", "sum"}:
            np.add(sums, level * known, out=target)
            rounding = 2.3e-16 * max(float(one.max()), -float(one.min()))
            doubtful = np.flatnonzero(np.abs(target) * 1e-10 < rounding)
            if len(doubtful):
                target[doubtful] = _one_by_one(values, begin + doubtful, window, "sum")
            if stat == "mean":
                target /= known
            continue
        sums /= known  # now the mean, counted from the level
        known *= -1
        m2 += np.multiply(np.multiply(sums, sums, out=target), known, out=target)
        clear = bool(m2.min() > 1e-6 * two[-1])
        doubtful = np.empty(0, np.int64) if clear else np.flatnonzero(~(m2 > 1e-6 * two[-1]))
        with np.errstate(invalid="ignore", divide="ignore"):
            m2 /= -known - 1
            if stat == "std":
                np.sqrt(m2, out=target)
            else:
                np.divide(
                    np.subtract(away[first:], sums, out=sums), np.sqrt(m2, out=m2), out=target
                )
        if len(doubtful):
            target[doubtful] = _one_by_one(values, begin + doubtful, window, stat)
    return out


def _one_by_one(values: Float64s, places: Int64s, window: int, stat: str) -> Float64s:
    """Deviation or z-score of the windows that end at some places, each in two passes."""
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
        step = max(1, _BLOCK // window)
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


def _slide(kernel: Any, values: Float64s, window: int, neutral: float) -> Float64s:
    """A window's reduction from the end of one block and the start of the next.

    Blocks are as long as the window, so each sum starts afresh and nothing cancels
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
        # The window that ends at i begins at i - window + 1: the rest of the block before.
        ends = np.arange(window, size)
        whole = (ends + 1) % window == 0
        joined = kernel(ahead[window:], behind[1 : size - window + 1])
        out[window:] = np.where(whole, ahead[window:], joined)
    return out


def _moments(
    values: Float64s, gone: Any, window: int, counts: Float64s
) -> tuple[Float64s, Float64s, Float64s]:
    """Mean, sum of squared deviations and sum of each window.

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
        offset = (one + two + step * count_2) / counts
        mean = flat + offset
    squares = np.maximum(squares, 0.0)
    # What rounding leaves of a constant window is no deviation.
    squares[squares <= (1e-15 * np.abs(flat)) ** 2 * counts] = 0.0
    return mean, squares, flat * counts + (one + two + step * count_2)


def _ordered(
    values: Float64s, window: int, share: float, *, mad: bool, fast: bool | None
) -> Float64s:
    """Quantile, or median absolute deviation, of every window."""
    if wants_fast(fast, len(values) * max(1, window // 8)):
        from ._compiled import sliding_mad, sliding_quantile

        out: Float64s = (
            sliding_mad(values, window) if mad else sliding_quantile(values, window, share)
        )
        return out
    out = np.empty(len(values))
    padded = np.concatenate((np.full(window - 1, np.nan), values))
    views = np.lib.stride_tricks.sliding_window_view(padded, window)
    step = max(1, _BLOCK // window)
    for begin in range(0, len(values), step):
        block = np.sort(views[begin : begin + step], axis=1)
        middle = _ragged_quantile(block, share)
        if mad:
            block = np.sort(np.abs(block - middle[:, None]), axis=1)
            middle = _ragged_quantile(block, 0.5)
        out[begin : begin + step] = middle
    return out


def _ragged_quantile(block: Float64s, share: float) -> Float64s:
    """The quantile of each sorted row's values before its NaN."""
    width = block.shape[1]
    if not np.isnan(block[:, -1]).any():
        known = np.full(len(block), width)
    else:
        known = width - np.isnan(block).sum(axis=1)
    place = share * (known - 1)
    low = np.maximum(place.astype(np.int64), 0)
    high = np.minimum(low + 1, np.maximum(known - 1, 0))
    rows = np.arange(len(block))
    left, right = block[rows, low], block[rows, high]
    with np.errstate(invalid="ignore"):
        mixed = left + (right - left) * (place - low)
    return np.where(left == right, left, mixed)


def roll_mean_ad(values: Float64s, window: int, center: Float64s, places: Int64s) -> Float64s:
    """Mean absolute deviation from a given center, of the windows that end at some places."""
    out = np.empty(len(places))
    padded = np.concatenate((np.full(window - 1, np.nan), values))
    views = np.lib.stride_tricks.sliding_window_view(padded, window)
    step = max(1, _BLOCK // window)
    for begin in range(0, len(places), step):
        some = places[begin : begin + step]
        away = np.abs(views[some] - center[some][:, None])
        known = np.maximum((~np.isnan(away)).sum(axis=1), 1)
        out[begin : begin + step] = np.nansum(away, axis=1) / known
    return out


def ewma(
    values: Any,
    *,
    alpha: float | None = None,
    span: float | None = None,
    halflife: float | None = None,
    com: float | None = None,
    adjust: bool = True,
) -> Float64s:
    """Exponentially weighted moving average; NaN values are passed over but age the rest.

    Args:
        values: Numbers in order of time, or a `TimeSeries`.
        alpha: Weight of the newest value, above 0 and at most 1. Or one of:
        span: Weight 2 / (span + 1).
        halflife: Number of values after which a weight has halved.
        com: Weight 1 / (1 + com).
        adjust: Divide by the weights seen so far; otherwise the first value starts at full
            weight. (The meaning of all these is pandas' `ewm`.)

    Returns:
        As many values as came in.

    Example:
        >>> ewma([1, 2, 3], alpha=0.5, adjust=False).tolist()
        [1.0, 1.5, 2.25]
    """
    weight = _weight(alpha=alpha, span=span, halflife=halflife, com=com)
    out: list[float] = []
    mean, old, keep = float("nan"), 1.0, 1 - weight
    gain = 1.0 if adjust else weight
    for value in read_values(values, "values").tolist():
        if mean == mean:  # noqa: PLR0124  (known)
            old *= keep
            if value == value:  # noqa: PLR0124
                mean = (old * mean + gain * value) / (old + gain) if mean != value else mean
                old = old + gain if adjust else 1.0
        elif value == value:  # noqa: PLR0124
            mean = value
        out.append(mean)
    return np.array(out)


def _weight(**given: float | None) -> float:
    chosen = {name: value for name, value in given.items() if value is not None}
    if len(chosen) != 1:
        raise ValueError("alpha, span, halflife, com: exactly one is needed")
    name, value = next(iter(chosen.items()))
    limits = {"alpha": 0 < value <= 1, "span": value >= 1, "halflife": value > 0, "com": value >= 0}
    if not limits[name]:
        raise ValueError(f"{name}: {value} is out of range")
    if name == "alpha":
        return value
    if name == "span":
        return 2 / (value + 1)
    return 1 / (1 + value) if name == "com" else 1 - float(np.exp(-np.log(2) / value))
