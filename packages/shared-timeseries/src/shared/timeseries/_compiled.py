"""Loops compiled by numba. Imported only when the fast path is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(cache=True, nogil=True)


@compiled
def window_sums(ns: Any, values: Any, edges: Any) -> Any:
    """Count, sum, minimum and maximum between edges, for sorted times.

    Four partial sums a window, added in pairs: the loop is vectorised and rounds less.
    """
    windows = len(edges) - 1
    counts = np.zeros(windows, np.int64)
    sums = np.zeros(windows)
    lows = np.full(windows, np.nan)
    highs = np.full(windows, np.nan)
    total = len(ns)
    i = np.searchsorted(ns, edges[0])
    stride = 64
    for w in range(windows):
        right = edges[w + 1]
        begin = i
        # Gallop to the window's end, then halve: far fewer looks at the times than points.
        jump = stride
        low = i
        while low + jump < total and ns[low + jump] < right:
            low += jump
            jump *= 2
        high = min(low + jump, total)
        while low < high:
            middle = (low + high) >> 1
            if ns[middle] < right:
                low = middle + 1
            else:
                high = middle
        i = low
        stride = max(1, (i - begin) >> 1)
        count = i - begin
        counts[w] = count
        if count == 0:
            continue
        a = b = c = d = 0.0
        low_1 = low_2 = low_3 = low_4 = values[begin]
        high_1 = high_2 = high_3 = high_4 = values[begin]
        j = begin
        while j + 4 <= i:
            v, x, y, z = values[j], values[j + 1], values[j + 2], values[j + 3]
            a += v
            b += x
            c += y
            d += z
            low_1, low_2 = (v if v < low_1 else low_1), (x if x < low_2 else low_2)  # noqa: FURB136
            low_3, low_4 = (y if y < low_3 else low_3), (z if z < low_4 else low_4)  # noqa: FURB136
            high_1, high_2 = (v if v > high_1 else high_1), (x if x > high_2 else high_2)  # noqa: FURB136
            high_3, high_4 = (y if y > high_3 else high_3), (z if z > high_4 else high_4)  # noqa: FURB136
            j += 4
        while j < i:
            v = values[j]
            a += v
            low_1 = v if v < low_1 else low_1  # noqa: FURB136
            high_1 = v if v > high_1 else high_1  # noqa: FURB136
            j += 1
        sums[w] = (a + b) + (c + d)
        lows[w] = min(min(low_1, low_2), min(low_3, low_4))  # noqa: PLW3301
        highs[w] = max(max(high_1, high_2), max(high_3, high_4))  # noqa: PLW3301
        if np.isnan(sums[w]):  # NaN, or both infinities
            for j in range(begin, i):
                if np.isnan(values[j]):
                    lows[w] = highs[w] = np.nan
    return counts, sums, lows, highs


@compiled
def _place(ordered: Any, known: int, value: float) -> int:
    """Where a value belongs among the first `known` sorted ones."""
    low, high = 0, known
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _swap(ordered: Any, known: int, old: float, new: float) -> int:
    """Take `old` out of the sorted values and put `new` in; NaN is neither. The new count."""
    if np.isnan(old):
        if np.isnan(new):
            return known
        j = known
        while j > 0 and ordered[j - 1] > new:
            ordered[j] = ordered[j - 1]
            j -= 1
        ordered[j] = new
        return known + 1
    j = _place(ordered, known, old)
    if np.isnan(new):
        for k in range(j, known - 1):
            ordered[k] = ordered[k + 1]
        return known - 1
    while j + 1 < known and ordered[j + 1] < new:
        ordered[j] = ordered[j + 1]
        j += 1
    while j > 0 and ordered[j - 1] > new:
        ordered[j] = ordered[j - 1]
        j -= 1
    ordered[j] = new
    return known


@compiled
def _quantile(ordered: Any, known: int, share: float) -> float:
    place = share * (known - 1)
    low = int(place)
    left: float = ordered[low]
    right: float = ordered[min(low + 1, known - 1)]
    return left if left == right else left + (right - left) * (place - low)


@compiled
def sliding_quantile(values: Any, window: int, share: float) -> Any:
    """Quantile of each window over a sorted copy that slides along."""
    out = np.full(len(values), np.nan)
    ordered = np.empty(window + 1)
    known = 0
    for i in range(len(values)):
        old = values[i - window] if i >= window else np.nan
        known = _swap(ordered, known, old, values[i])
        if known:
            out[i] = _quantile(ordered, known, share)
    return out


@compiled
def _deviation(ordered: Any, known: int, middle: float) -> float:
    """Median absolute deviation of sorted values: the distances form two sorted arms.

    The k smallest distances take `i` from below the middle and `k - i` from above it; `i` is
    found by halving.
    """
    split = _place(ordered, known, middle)  # below: [0, split), above: [split, known)
    k = (known + 1) // 2
    low, high = max(0, k - (known - split)), min(k, split)
    while low < high:
        i = (low + high) >> 1
        # Taking i from below is too few when the next below is nearer than the last above.
        if middle - ordered[split - i - 1] < ordered[split + k - i - 1] - middle:
            low = i + 1
        else:
            high = i
    i = low
    near = -np.inf
    if i > 0:
        near = middle - ordered[split - i]
    if k - i > 0:
        near = max(near, ordered[split + k - i - 1] - middle)
    if known % 2:
        return near
    after = np.inf
    if split - i - 1 >= 0:
        after = middle - ordered[split - i - 1]
    if split + k - i < known:
        after = min(after, ordered[split + k - i] - middle)
    return near if near == after else near + (after - near) * 0.5


@compiled
def sliding_mad(values: Any, window: int) -> Any:
    """Median absolute deviation of each window."""
    out = np.full(len(values), np.nan)
    ordered = np.empty(window + 1)
    known = 0
    for i in range(len(values)):
        old = values[i - window] if i >= window else np.nan
        known = _swap(ordered, known, old, values[i])
        if known:
            out[i] = _deviation(ordered, known, _quantile(ordered, known, 0.5))
    return out


# No NaN comes in, and a zero's sign does not matter: with that said, the loop is vectorised.
@numba.njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def _greatest(
    places: Any, numbers: Any, begin: int, stop: int, across: float, up: float, offset: float
) -> float:
    best = -1.0
    for j in range(begin, stop):
        area = abs(across * numbers[j] + up * places[j] - offset)
        best = max(best, area)
    return best


@compiled
def _falls(places: Any, begin: int, stop: int) -> bool:
    """Whether places go back; a stretch that was just read is still in the cache."""
    found = False
    for j in range(begin, stop):
        found |= places[j] < places[j - 1]
    return found


@compiled
def triangles(places: Any, numbers: Any, cuts: Any) -> Any:
    """Largest triangle three buckets for buckets between cuts.

    Nothing when there is a NaN or the places are not in ascending order.
    """
    n = len(cuts)
    chosen = np.zeros(n, np.int64)
    chosen[n - 1] = len(numbers) - 1
    at = 0
    for i in range(n - 2):
        begin, middle, stop = cuts[i], cuts[i + 1], cuts[i + 2]
        a = b = c = d = 0.0
        j = middle
        while j + 4 <= stop:
            a += numbers[j]
            b += numbers[j + 1]
            c += numbers[j + 2]
            d += numbers[j + 3]
            j += 4
        while j < stop:
            a += numbers[j]
            j += 1
        height = ((a + b) + (c + d)) / (stop - middle)
        if np.isnan(height) or _falls(places, begin, middle):
            return chosen[:0]
        across = places[at] - (places[middle] + places[stop - 1]) / 2
        up = height - numbers[at]
        offset = across * numbers[at] + up * places[at]
        # The greatest of a short stretch first, its place only where it is a new one.
        largest, found = -1.0, begin
        j = begin
        while j < middle:
            best = _greatest(places, numbers, j, min(j + 128, middle), across, up, offset)
            if best > largest:
                largest, found = best, j
            j += 128
        for j in range(found, min(found + 128, middle)):
            if abs(across * numbers[j] + up * places[j] - offset) == largest:
                at = j
                break
        chosen[i + 1] = at
    return chosen[:0] if _falls(places, cuts[n - 2], len(numbers)) else chosen


@compiled
def sliding_spread(values: Any, window: int, zscore: bool) -> Any:
    """Deviation or z-score of each window, of values without NaN.

    Sums slide along and start afresh every few thousand values, counted from a near level; a
    window whose spread is so small that rounding would show is computed by itself.
    """
    size = len(values)
    out = np.empty(size)
    for begin in range(0, size, 4096):
        first = max(0, begin - window + 1)
        level = 0.0
        for j in range(first, begin + 1):
            level += values[j]
        level /= begin + 1 - first
        total = squares = 0.0
        for j in range(first, begin + 1):
            away = values[j] - level
            total += away
            squares += away * away
        largest = squares
        for i in range(begin, min(begin + 4096, size)):
            if i > begin:
                away = values[i] - level
                total += away
                squares += away * away
                largest += away * away
                if i >= window:
                    away = values[i - window] - level
                    total -= away
                    squares -= away * away
            known = min(i + 1, window)
            mean = total / known
            rest = squares - total * mean
            if not rest > 1e-6 * largest:
                mean, rest = _two_passes(values, i + 1 - known, i + 1)
                mean -= level
            spread = np.sqrt(rest / (known - 1)) if known > 1 else np.nan
            if not zscore:
                out[i] = spread
            elif spread > 0:
                out[i] = (values[i] - level - mean) / spread
            else:
                out[i] = np.nan
    return out


@compiled
def _two_passes(values: Any, begin: int, stop: int) -> Any:
    mean = 0.0
    low = high = values[begin]
    for j in range(begin, stop):
        mean += values[j]
        low, high = min(low, values[j]), max(high, values[j])
    if low == high:
        return low, 0.0
    mean /= stop - begin
    rest = 0.0
    for j in range(begin, stop):
        rest += (values[j] - mean) ** 2
    return mean, rest
