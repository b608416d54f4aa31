"""What each anomaly method expects of a value, and how wide its normal range is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._reduce.rolling import roll, roll_mean_ad

if TYPE_CHECKING:
    from .._time.types import Float64s

MAD_TO_SIGMA = 1.4826022185056018  # of a normal distribution: 1 / Phi^-1(3/4)
MEAN_AD_TO_SIGMA = math.sqrt(math.pi / 2)
IQR_TO_SIGMA = 1.3489795003921634
QUARTILE = IQR_TO_SIGMA / 2
_NOISE = 1e-9  # differences below this share of the values are rounding, not news


class Baseline(NamedTuple):
    """Expected values and scales; the scale is in standard deviations of a normal series."""

    center: Float64s
    scale: Float64s


def scores_of(values: Float64s, base: Baseline) -> Float64s:
    """Return the distance from what was expected, in scales. NaN values and unknown baselines score 0.

    Where nothing ever moved (scale 0) any real move is infinitely far.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        away = np.abs(values - base.center)
        away[away <= _NOISE * np.maximum(np.abs(values), np.abs(base.center))] = 0.0
        scores = away / base.scale
    scores[away == 0] = 0.0
    scores[np.isnan(scores)] = 0.0
    return scores


def whole_zscore(values: Float64s) -> Baseline:
    """Return the mean and sample standard deviation."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Baseline(np.array(float(np.mean(values))), np.array(spread))


def robust_scale(values: Float64s, center: float) -> float:
    """Return 1.4826 MAD, or 1.2533 mean absolute deviation if more than half are equal."""
    away = np.abs(values - center)
    mad = float(np.median(away))
    return mad * MAD_TO_SIGMA if mad > 0 else float(np.mean(away)) * MEAN_AD_TO_SIGMA


def whole_mad(values: Float64s) -> Baseline:
    """Return the median and robust scale (Iglewicz and Hoaglin 1993, modified z-score)."""
    center = float(np.median(values))
    return Baseline(np.array(center), np.array(robust_scale(values, center)))


def rolling_zscore(values: Float64s, window: int, least: int) -> Baseline:
    """Return the mean and standard deviation of the `window` values before each one."""
    # Rolled first and shifted then: a leading NaN would cost the quick path of values without holes.
    return Baseline(*(shift(roll(values, window, stat, least)) for stat in ("mean", "std")))


def rolling_mad(values: Float64s, window: int, least: int) -> Baseline:
    """Return the median and robust scale of the `window` values before each one."""
    before = shift(values)
    center = roll(before, window, "median", least)
    scale = roll(before, window, "mad", least) * MAD_TO_SIGMA
    flat = np.flatnonzero(scale == 0)
    if len(flat):
        scale[flat] = roll_mean_ad(before, window, center, flat) * MEAN_AD_TO_SIGMA
    return Baseline(center, scale)


def shift(values: Float64s) -> Float64s:
    """Put into each place the value before: a baseline must not see what it judges."""
    out = np.empty_like(values)
    out[:1] = np.nan
    out[1:] = values[:-1]
    return out


def seasonal(values: Float64s, period: int) -> Float64s:
    """Return what remains without a moving median over one period and each phase's median.

    NaN values stay NaN; the season is that of additive decomposition with medians in place of
    means, so that an outlier does not move it.
    """
    away = values - _trend(values, period)
    season = np.array([_median(away[phase::period]) for phase in range(period)])
    repeats = -(-len(values) // period)
    level = values - np.tile(season, repeats)[: len(values)]
    # Without its season the level is smooth: now an outlier no longer moves its neighbours' trend.
    out: Float64s = level - _trend(level, period)
    return out


def _trend(values: Float64s, period: int) -> Float64s:
    """Return the centred moving median over one period; at both ends the last whole one is held."""
    whole = roll(values, period, "median", 1)[period - 1 :]
    if period % 2 == 0:  # its middle lies between two values: the mean of the two windows
        whole = (whole[:-1] + whole[1:]) / 2
    return np.pad(whole, (period // 2, len(values) - len(whole) - period // 2), mode="edge")


def _median(values: Float64s) -> float:
    values = values[~np.isnan(values)]
    return float(np.median(values)) if len(values) else 0.0


def find_period(values: Float64s) -> int:
    """Return the lag of the highest autocorrelation peak of what a fitted line leaves, 0 for none.

    A peak is above 0.3 (and above chance, in a short series), and as much above the least
    value before it: a slow decline, as after a step of the level, is not a season. Three seasons
    must be there. Unknown values keep their places.
    """
    there = np.isfinite(values)
    known = int(there.sum())
    if known < 8:
        return 0
    at = np.linspace(-1, 1, len(values))
    away = np.zeros(len(values))
    away[there] = values[there] - np.polyval(np.polyfit(at[there], values[there], 1), at[there])
    lags = len(values) // 3 + 2
    sums, pairs = _autocovariance(away)[:lags], _autocovariance(there.astype(np.float64))[:lags]
    if sums[0] <= (_NOISE * np.abs(values[there]).max()) ** 2 * known:
        return 0
    power = sums / sums[0] * (known / np.maximum(np.rint(pairs), 1))
    inner = power[1:-1]
    least = np.minimum.accumulate(power)[1:-1]
    clear = max(0.3, 3 / math.sqrt(known))  # 1 / sqrt(n) is the deviation of noise's
    peaks = np.flatnonzero(
        (inner > power[:-2]) & (inner >= power[2:]) & (inner > clear) & (inner - least > clear)
    )
    peaks += 1
    peaks = peaks[peaks > 1]
    if not len(peaks):
        return 0
    best = power[peaks].max()
    # Several seasons on it is as high again; by chance higher, the more the noisier.
    chance = min(1 - best, 2 / math.sqrt(known))
    return int(peaks[power[peaks] >= best - max(0.1 * best, chance)][0])


def _autocovariance(values: Float64s) -> Float64s:
    """Return sums of products with the values `lag` places on, by the Fourier transform."""
    spectrum = np.fft.rfft(values, 1 << (2 * len(values) - 1).bit_length())
    return np.fft.irfft(spectrum * spectrum.conj())
