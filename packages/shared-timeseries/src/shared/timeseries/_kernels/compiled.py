"""Loops compiled by numba. Imported only when the fast path is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from .prefetch import prefetch

if TYPE_CHECKING:
    from collections.abc import Callable

compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(cache=True, nogil=True)


# These forms of loops were chosen by reading the assembly. LLVM vectorises a loop over a slice that is
# counted from 0, since an index counted from elsewhere might be negative. It does not vectorise the
# least or greatest of floats, but that of integers: `_ordered_bits` puts floats' bits in their order.
_SIGN = np.int64(63)
_REST = np.int64(0x7FFF_FFFF_FFFF_FFFF)
_AHEAD = 128  # times whose order is checked at once: still in the cache when they are read again
_SOON = 512  # how many places ahead memory is prefetched; 256 to 1024 measured about the same
_LINE = 8  # places in a line of the cache


@compiled
def _falls(places: Any, begin: int, stop: int) -> bool:
    """Return whether any of the places is below the one before it; `begin` is at least 1."""
    found = False
    before, after = places[begin - 1 : stop - 1], places[begin:stop]
    for j in range(len(after)):
        found |= after[j] < before[j]
    return found


@compiled
def _ordered_bits(bits: Any) -> Any:
    """Return a float's bits as an integer that compares as the float does, and back."""
    return bits ^ ((bits >> _SIGN) & _REST)


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def _summed(values: Any, bits: Any) -> Any:
    """Return the sum, and the ordered bits of the least and the greatest."""
    total = 0.0
    low, high = _REST, ~_REST
    for j in range(len(values)):
        total += values[j]
        ordered = _ordered_bits(bits[j])
        low, high = min(low, ordered), max(high, ordered)
    return total, low, high


@compiled
def window_sums(ns: Any, values: Any, edges: Any, asked: bool) -> Any:
    """Return the count, sum, minimum and maximum between edges, in one pass over times and values.

    If `asked`, it also checks whether the times, which start in the first window, ever fall:
    then the counts are empty.
    """
    windows = len(edges) - 1
    counts = np.zeros(windows, np.int64)
    sums = np.zeros(windows)
    ends = np.full((2, windows), np.nan)
    ordered = ends.view(np.int64)
    bits = values.view(np.int64)
    total = len(ns)
    i = np.searchsorted(ns, edges[0]) if not asked else 0
    seen = min(1, total) if asked else total
    stride = 64
    for w in range(windows):
        right = edges[w + 1]
        begin = i
        while seen < total and ns[seen - 1] < right:
            stop = min(seen + _AHEAD, total)
            if _falls(ns, seen, stop):
                return counts[:0], sums, ends[0], ends[1]
            seen = stop
        # Gallop to the window's end, then halve: far fewer reads of times than points.
        jump = stride
        low = i
        while low + jump < seen and ns[low + jump] < right:
            low += jump
            jump *= 2
        high = min(low + jump, seen)
        while low < high:
            middle = (low + high) >> 1
            if ns[middle] < right:
                low = middle + 1
            else:
                high = middle
        i = low
        stride = max(1, (i - begin) >> 1)
        counts[w] = i - begin
        if i == begin:
            continue
        for j in range(begin, i, _LINE):
            prefetch(ns, j + _SOON)
            prefetch(values, j + _SOON)
        sums[w], least, most = _summed(values[begin:i], bits[begin:i])
        ordered[0, w], ordered[1, w] = _ordered_bits(least), _ordered_bits(most)
        if np.isnan(sums[w]) and np.isnan(values[begin:i]).any():  # or both infinities
            ends[:, w] = np.nan
    if asked and i < total:  # a time beyond the last one's window
        return counts[:0], sums, ends[0], ends[1]
    return counts, sums, ends[0], ends[1]


@compiled
def _place(ordered: Any, known: int, value: float) -> int:
    """Return where a value belongs among the first `known` sorted ones."""
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
    """Remove `old` from the sorted values and insert `new`; NaN is neither. Return the new count."""
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
    """Return the quantile of each window over a sorted copy that slides along."""
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
    """Return the median absolute deviation of sorted values: the distances form two sorted arms.

    The k smallest distances take `i` from below the middle and `k - i` from above it; `i` is
    found by halving.
    """
    split = _place(ordered, known, middle)  # below: [0, split), above: [split, known)
    k = (known + 1) // 2
    low, high = max(0, k - (known - split)), min(k, split)
    while low < high:
        i = (low + high) >> 1
        # Taking i from below is too few if the next below is nearer than the last above.
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
    """Return the median absolute deviation of each window."""
    out = np.full(len(values), np.nan)
    ordered = np.empty(window + 1)
    known = 0
    for i in range(len(values)):
        old = values[i - window] if i >= window else np.nan
        known = _swap(ordered, known, old, values[i])
        if known:
            out[i] = _deviation(ordered, known, _quantile(ordered, known, 0.5))
    return out


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def _sum(values: Any) -> float:
    total = 0.0
    for j in range(len(values)):
        total += values[j]
    return total


@compiled
def _largest(places: Any, numbers: Any, bits: Any, line: Any) -> Any:
    """Return the bits of the largest area; areas are not negative, so their bits are in their order."""
    across, up, offset = line
    areas = bits.view(np.float64)
    for j in range(len(numbers)):
        areas[j] = abs(across * numbers[j] + up * places[j] - offset)
    best = np.int64(-1)
    for j in range(len(numbers)):
        best = max(best, bits[j])
    return best


@compiled
def triangles(places: Any, numbers: Any, cuts: Any) -> Any:
    """Choose by largest triangle three buckets, for buckets between cuts.

    Nothing is chosen if there is a NaN or the places are not in ascending order.
    """
    n = len(cuts)
    chosen = np.zeros(n, np.int64)
    chosen[n - 1] = len(numbers) - 1
    bits = np.empty(256, np.int64)
    at = 0
    for i in range(n - 2):
        begin, middle, stop = cuts[i], cuts[i + 1], cuts[i + 2]
        height = _sum(numbers[middle:stop]) / (stop - middle)
        if np.isnan(height) or _falls(places, begin, middle):
            return chosen[:0]
        across = places[at] - (places[middle] + places[stop - 1]) / 2
        up = height - numbers[at]
        line = across, up, across * numbers[at] + up * places[at]
        # The largest of a short stretch first, its place only where it is a new one.
        largest = np.int64(-1)
        for j in range(begin, middle, len(bits)):
            end = min(j + len(bits), middle)
            best = _largest(places[j:end], numbers[j:end], bits, line)
            if best > largest:
                largest, at = best, j + int(np.argmax(bits[: end - j] == best))
        chosen[i + 1] = at
    return chosen[:0] if _falls(places, cuts[n - 2], len(numbers)) else chosen


@compiled
def sliding_spread(values: Any, window: int, zscore: bool) -> Any:
    """Return the deviation or z-score of each window, of values without NaN.

    Sums slide along and start again every few thousand values, counted from a near level; a
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
def far_from_before(values: Any, window: int, limit: float) -> Any:
    """Return the positions that `suspects` finds: far by the sums before them, or not to be told by sums."""
    size = len(values)
    out = np.empty(size, np.int64)
    found, run = 0, 1
    for i in range(1, min(window, size)):
        run = run + 1 if values[i] == values[i - 1] else 1
    piece = max(4096, 2 * window)
    for begin in range(window, size, piece):
        level = 0.0
        for j in range(begin - window, begin):
            level += values[j]
        level /= window
        total = squares = 0.0
        for j in range(begin - window, begin):
            away = values[j] - level
            total += away
            squares += away * away
        largest = squares
        for i in range(begin, min(begin + piece, size)):
            if i > begin:
                new, old = values[i - 1] - level, values[i - 1 - window] - level
                total += new - old
                squares += new * new - old * old
                largest += new * new
            run = run + 1 if values[i] == values[i - 1] else 1
            mean = total / window
            rest = squares - total * mean
            away = values[i] - level - mean
            if away * away > limit * rest if rest > 1e-6 * largest else run <= window:
                out[found] = i
                found += 1
    return out[:found]


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
