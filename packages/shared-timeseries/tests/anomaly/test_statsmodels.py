"""Answers equal to those of statsmodels, wherever it knows the question."""

import math

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.robust.scale import iqr, mad  # type: ignore[import-untyped]
from statsmodels.tsa.api import STL, SimpleExpSmoothing, acf, seasonal_decompose  # type: ignore[import-untyped]

from shared.timeseries import detect_anomalies, ewma
from shared.timeseries._anomaly.baselines import find_period

seeds = st.integers(0, 2**32 - 1)
modest = settings(max_examples=15, deadline=None)


def wave(random, size, period, noise=0.0):
    """A season of random shape on a line, with noise in shares of the season's spread."""
    shape = random.normal(size=period)
    shape = (shape - shape.mean()) / shape.std()
    at = np.arange(size)
    return 100 + 0.01 * at + shape[at % period] + noise * random.normal(size=size)


@modest
@given(seed=seeds, alpha=st.floats(0.01, 0.99), size=st.integers(2, 80))
def test_ewma_is_simple_exponential_smoothing(seed, alpha, size):
    values = np.random.default_rng(seed).normal(50, 9, size)
    model = SimpleExpSmoothing(values, initialization_method="known", initial_level=values[0])
    # A fitted value is the level before it.
    levels = model.fit(smoothing_level=alpha, optimized=False).fittedvalues[1:]
    np.testing.assert_allclose(ewma(values, alpha=alpha, adjust=False)[:-1], levels, rtol=1e-12)


@modest
@given(
    seed=seeds, size=st.integers(12, 120), outliers=st.integers(0, 6), alpha=st.floats(0.01, 0.2)
)
def test_esd_is_the_outlier_test_of_a_constant_again_and_again(seed, size, outliers, alpha):
    """Rosner's limit is Bonferroni's for the studentized residual of a fitted constant."""
    random = np.random.default_rng(seed)
    values = random.normal(size=size)
    values[random.choice(size, outliers, replace=False)] += random.choice([-1, 1]) * 5
    rest, removed, last = np.arange(size), [], 0
    for count in range(1, 7):
        fitted = sm.OLS(values[rest], np.ones(len(rest))).fit()
        by_chance = fitted.outlier_test(method="bonf")[:, 2]
        worst = int(np.argmax(np.abs(fitted.resid)))
        removed.append(int(rest[worst]))
        rest = np.delete(rest, worst)
        last = count if by_chance[worst] < alpha else last
    sigmas = math.sqrt(2) * _erfc_inverse(alpha)
    found = detect_anomalies(values, sigmas, "esd", max_anomalies=6)
    assert found == sorted(removed[:last])


def _erfc_inverse(share):
    import scipy.special  # type: ignore[import-untyped]

    return float(scipy.special.erfcinv(share))


@modest
@given(seed=seeds, size=st.integers(5, 200))
def test_robust_scales(seed, size):
    values = np.random.default_rng(seed).standard_t(3, size)
    center = np.median(values)
    found = detect_anomalies(values, 3.0, "mad", details=True)
    np.testing.assert_allclose(found.upper[0] - center, 3 * mad(values, center=center))
    fences = detect_anomalies(values, 3.0, "iqr", details=True)
    np.testing.assert_allclose(fences.upper[0] - fences.lower[0], 6 * iqr(values))


@modest
@given(seed=seeds, period=st.integers(6, 48), cycles=st.integers(4, 12), noise=st.floats(0, 0.4))
def test_the_period_is_where_the_autocorrelation_is_highest(seed, period, cycles, noise):
    random = np.random.default_rng(seed)
    size = period * cycles + int(random.integers(period))
    values = wave(random, size, period, noise)
    rest = values - np.polyval(np.polyfit(np.arange(size), values, 1), np.arange(size))
    known = acf(rest, adjusted=True, nlags=size // 2, fft=True)
    found = find_period(values)
    assert found > 0
    # A part of the season is one too where, by its few values, it correlates as highly.
    assert found % period == 0 or period % found == 0
    highest = known[period]
    assert known[found] >= highest - max(0.1 * highest, min(1 - highest, 2 / math.sqrt(size)))


@pytest.mark.parametrize("period", [5, 7, 24, 288])
@pytest.mark.parametrize("slope", [0.0, 0.05, -1.0])
def test_the_period_is_seen_past_trends_steps_holes_and_outliers(period, slope):
    random = np.random.default_rng(period)
    size = period * max(12, 200 // period)
    values = wave(random, size, period, 0.2) + slope * np.arange(size)
    assert find_period(values) == period
    values[random.choice(size, max(2, size // 100), replace=False)] += 6
    assert find_period(values) == period
    values[size // 3 : size // 3 + period + period // 2] = np.nan
    values[random.choice(size, size // 10, replace=False)] = np.nan
    assert find_period(values) == period
    values[size // 2 :] += 2
    assert find_period(values) == period


def test_no_period_in_what_has_none():
    random = np.random.default_rng(5)
    for _ in range(20):
        noise = random.normal(size=500)
        step = np.repeat([0.0, 9.0], 250)
        for values in (noise, noise + step, noise + np.arange(500), noise**3, noise[:30]):
            assert find_period(values) == 0
    for none in ([], [1.0] * 3, [7.0] * 100, [0.1 + 0.2] * 64, np.arange(99.0), [np.nan] * 50):
        assert find_period(np.array(none)) == 0


@modest
@given(seed=seeds, period=st.integers(3, 30), cycles=st.integers(4, 8))
def test_a_pure_season_on_a_line_leaves_nothing(seed, period, cycles):
    """On a line with a season both decompositions are exact inside."""
    values = wave(np.random.default_rng(seed), period * cycles, period)
    theirs = seasonal_decompose(values, period=period, extrapolate_trend=period - 1)
    ours = detect_anomalies(values, 3.0, "seasonal", period=period, details=True)
    inside = slice(period, -period)
    np.testing.assert_allclose(theirs.resid[inside], 0, atol=1e-9)
    np.testing.assert_allclose((values - ours.expected)[inside], 0, atol=0.02 * period)


@modest
@given(seed=seeds, period=st.sampled_from([7, 12, 24]), count=st.integers(1, 5))
def test_the_outliers_of_a_season_are_those_of_robust_stl(seed, period, count):
    random = np.random.default_rng(seed)
    values = wave(random, period * 12, period, 0.1)
    inside = np.arange(period, len(values) - period)
    places = np.sort(random.choice(inside, count, replace=False))
    values[places] += random.choice([-1, 1], count) * random.uniform(2, 4, count)
    rest = np.abs(STL(values, period=period, robust=True, seasonal=35).fit().resid)
    assert detect_anomalies(values, 8.0, "seasonal", period=period) == places.tolist()
    assert np.sort(np.argsort(rest)[-count:]).tolist() == places.tolist()
