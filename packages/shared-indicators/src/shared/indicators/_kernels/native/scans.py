"""First-order recurrences over one run of values, eight bars at a time.

With the weights w = k, k**2 .. k**8 the next eight of y = k * y + x are `faded(x) + w * y`: only the
last of them waits for what is before. The eights are counted from the start of the recurrence, so that a
value depends on neither the number of bars nor the number of rows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .jit import compiled, put_rest, take_rest
from .vectors import WIDTH, faded, fma, fma_one, last, load, mul, splat, store


@lru_cache(maxsize=256)
def powers(keep: float) -> Any:
    """Return the weights of a recurrence."""
    return keep ** np.arange(1.0, WIDTH + 1)


@compiled
def average_eight(values: Any, gain: float, fade: Any, y: float) -> Any:
    """Return the next eight of y = k * y + gain * x, and the last of them."""
    found = faded(mul(values, splat(gain)), fade[0], fade[1], fade[3])
    return fma(splat(y), load(fade, 0), found), fma_one(y, fade[7], last(found))


@compiled
def _scan_eights(x: Any, gain: float, y: float, fade: Any, out: Any) -> float:
    for i in range(0, out.size, 8):
        found, y = average_eight(load(x, i), gain, fade, y)
        store(out, i, found)
    return y


@compiled
def scan_run(x: Any, keep: float, gain: float, carry: float, fade: Any, out: Any) -> float:  # noqa: ARG001
    """Write y = keep * y + gain * x from `carry`; return the last y. `out` may be `x`."""
    n = x.size
    whole = n // 8 * 8
    carry = _scan_eights(x, gain, carry, fade, out[:whole])
    if whole < n:
        rest = np.empty(8)
        take_rest(x, whole, rest)
        _scan_eights(rest, gain, carry, fade, rest)
        put_rest(rest, whole, out)
        carry = out[n - 1]
    return carry
