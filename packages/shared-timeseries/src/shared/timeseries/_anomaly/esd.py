"""The generalised extreme Studentized deviate test (Rosner 1983)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .._time.types import Float64s


def generalised_esd(values: Float64s, alpha: float, most: int) -> tuple[list[int], Float64s]:
    """Find the positions of the outliers, and each point's deviation when it was judged (0 if never).

    Source: https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h3.htm
    """
    rest = np.flatnonzero(~np.isnan(values))
    scores = np.zeros(len(values))
    removed: list[int] = []
    outliers = 0
    size = len(rest)
    for i in range(1, min(most, size - 2) + 1):
        kept = values[rest]
        spread = float(np.std(kept, ddof=1))
        if not spread > 0:
            break
        away = np.abs(kept - kept.mean()) / spread
        where = int(np.argmax(away))
        deviation = float(away[where])
        scores[rest[where]] = deviation
        removed.append(int(rest[where]))
        rest = np.delete(rest, where)
        free = size - i - 1
        t = student_quantile(1 - alpha / (2 * (size - i + 1)), free)
        if deviation > (size - i) * t / math.sqrt((free + t * t) * (size - i + 1)):
            outliers = i
    return sorted(removed[:outliers]), scores


def student_quantile(share: float, free: int) -> float:
    """Return the quantile of Student's t distribution for a share above one half, by bisection."""
    low, high = 0.0, 2.0
    while _tail(high, free) > 1 - share and high < 1e300:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if _tail(middle, free) > 1 - share else (low, middle)
    return (low + high) / 2


def _tail(t: float, free: int) -> float:
    """Return P(T > t): half the regularised incomplete beta function I_x(free/2, 1/2)."""
    return 0.5 * _beta(free / (free + t * t), free / 2, 0.5)


def _beta(x: float, a: float, b: float) -> float:
    """Return I_x(a, b) by Lentz's continued fraction (https://dlmf.nist.gov/8.17#v)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log + a * math.log(x) + b * math.log1p(-x)) / a
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    out = d
    for m in range(1, 500):
        for top in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + top * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + top / c
            c = c if abs(c) > tiny else tiny
            out *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * out
