"""Batch detection: the cases where toys crash, warn, or cry wolf."""

import math

import numpy as np
import pytest
import scipy.stats  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.timeseries import TimeSeries, detect_anomalies
from shared.timeseries._anomaly.esd import student_quantile

METHODS = ["zscore", "mad", "rolling_zscore", "rolling_mad", "iqr", "seasonal", "esd"]
ROBUST = ["mad", "rolling_mad", "iqr", "seasonal", "esd"]


def test_the_classic():
    assert detect_anomalies([10, 12, 11, 10, 50, 11, 12]) == [4]


@pytest.mark.parametrize("method", METHODS)
def test_constant_empty_and_nan_are_quiet(method):
    assert detect_anomalies([5.0] * 50, method=method) == []
    assert detect_anomalies([0.1 + 0.2] * 20, method=method) == []
    assert detect_anomalies([], method=method) == []
    assert detect_anomalies([math.nan] * 5, method=method) == []
    assert detect_anomalies([None, 1, 2, None], 50.0, method=method) == []
    assert detect_anomalies([3], method=method) == []


@pytest.mark.parametrize("method", METHODS)
def test_nan_neither_counts_nor_hides(method):
    values = [1.0, 2.0] * 30
    values[40] = math.nan
    values[50] = 99.0
    assert 50 in detect_anomalies(values, 3.0, method=method)
    assert 40 not in detect_anomalies(values, 3.0, method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("power", [-1000, -600, 600, 1000])
def test_the_unit_does_not_matter_however_large_or_small(method, power):
    values = np.ldexp(np.round(np.random.default_rng(4).normal(100, 5, 300)), -4)
    values[[50, 200]] = 20.0
    here = detect_anomalies(values, 3.0, method, details=True, period=24)
    there = detect_anomalies(np.ldexp(values, power), 3.0, method, details=True, period=24)
    assert here.indices == there.indices != []
    np.testing.assert_array_equal(np.ldexp(here.upper, power), there.upper)
    constant = np.full(50, math.ldexp(1.1, power))
    assert detect_anomalies(constant, 1.0, method) == []


@pytest.mark.parametrize("method", ROBUST)
def test_a_jump_off_a_flat_line_is_seen(method):
    assert detect_anomalies([1] * 9 + [100], method=method) == [9]


def test_details_agree_with_scipy():
    values = np.random.default_rng(1).normal(10, 2, 400)
    values[[7, 300]] = 40, -10
    found = detect_anomalies(values, 3.0, details=True)
    np.testing.assert_allclose(found.scores, np.abs(scipy.stats.zscore(values, ddof=1)))
    assert found.indices == np.flatnonzero(found.scores > 3).tolist()
    outside = (values < found.lower) | (values > found.upper)
    assert found.indices == np.flatnonzero(outside).tolist()
    robust = detect_anomalies(values, 3.0, "mad", details=True)
    scale = scipy.stats.median_abs_deviation(values, scale="normal")
    np.testing.assert_allclose(robust.scores, np.abs(values - np.median(values)) / scale)


def test_iqr_threshold_is_tukeys_at_2_698():
    values = np.random.default_rng(2).normal(size=999)
    low, high = np.quantile(values, [0.25, 0.75])
    tukey = (values < low - 1.5 * (high - low)) | (values > high + 1.5 * (high - low))
    assert detect_anomalies(values, 2.6979592, "iqr") == np.flatnonzero(tukey).tolist()


def test_rolling_baselines_do_not_see_what_they_judge():
    values = np.random.default_rng(3).normal(size=200)
    for method in ("rolling_zscore", "rolling_mad"):
        whole = detect_anomalies(values, method=method, details=True).scores
        part = detect_anomalies(values[:150], method=method, details=True).scores
        np.testing.assert_array_equal(whole[:150], part)


def test_seasonal_finds_the_point_that_is_only_wrong_for_its_hour():
    random = np.random.default_rng(4)
    hours = np.arange(24 * 20)
    values = 100 + 50 * np.sin(hours * 2 * np.pi / 24) + random.normal(0, 1, len(hours))
    values[250] = 100.0 + 50 * np.sin((250 + 12) * 2 * np.pi / 24) + 40
    for period in (24, None):
        assert 250 in detect_anomalies(values, 6.0, "seasonal", period=period)
    assert detect_anomalies(values, 6.0, "mad") == []
    with pytest.raises(ValueError, match="period"):
        detect_anomalies(values[:30], method="seasonal", period=24)


def test_esd_finds_the_outliers_of_the_nist_handbook():
    # https://www.itl.nist.gov/div898/handbook/eda/section3/eda35h3.htm: three outliers.
    rosner = [
        -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56,
        1.58, 1.65, 1.69, 1.70, 1.76, 1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10,
        2.14, 2.15, 2.23, 2.24, 2.26, 2.35, 2.37, 2.40, 2.47, 2.54, 2.62, 2.64, 2.90, 2.92,
        2.92, 2.93, 3.21, 3.26, 3.30, 3.59, 3.68, 4.30, 4.64, 5.34, 5.42, 6.01,
    ]  # fmt: skip
    assert detect_anomalies(rosner, 1.959964, "esd", max_anomalies=10) == [51, 52, 53]


@given(share=st.floats(0.6, 1 - 1e-9), free=st.integers(1, 5000))
@settings(max_examples=50)
def test_student_quantile_is_scipys(share, free):
    expected = scipy.stats.t.isf(1 - share, free)
    assert student_quantile(share, free) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({"method": "magic"}, "method"),
        ({"threshold_std_dev": 0}, "threshold_std_dev"),
        ({"window": 1}, "window"),
        ({"min_periods": 0}, "min_periods"),
        ({"method": "seasonal", "period": 1}, "period"),
    ],
)
def test_a_wrong_value_is_named(how, name):
    with pytest.raises(ValueError, match=f"^{name} must be "):
        detect_anomalies([1, 2], **how)


def test_a_text_among_the_values_is_named_by_its_place():
    with pytest.raises(TypeError, match=r"values\[1\]"):
        detect_anomalies([1, "2"])


def test_a_series_goes_in():
    assert detect_anomalies(TimeSeries(range(7), [10, 12, 11, 10, 50, 11, 12], unit="s")) == [4]


def spikes(holes=0, level=0.0):
    """A metric that nearly always stands still."""
    random = np.random.default_rng(3)
    values = np.full(4000, level)
    places = np.sort(random.choice(np.arange(100, 4000, 40), 24, replace=False))
    values[places] += random.uniform(1, 1000, len(places))
    for place in random.choice(np.setdiff1d(np.arange(4000), places), holes, replace=False):
        values[place] = math.nan
    return values, places


@pytest.mark.parametrize("method", ["rolling_zscore", "rolling_mad"])
@pytest.mark.parametrize("level", [0.0, 0.1, 1e6 / 3])
@pytest.mark.parametrize("holes", [0, 1, 200])
def test_only_what_moved_is_an_anomaly_of_a_metric_that_stands_still(method, level, holes):
    values, places = spikes(holes, level)
    for scale in (1.0, 1e-6, 1e6):
        found = detect_anomalies(values * scale, 3.0, method)
        assert found == places.tolist()


@pytest.mark.parametrize("method", ["rolling_zscore", "rolling_mad"])
@pytest.mark.parametrize("holes", [0, 50])
def test_nothing_after_a_point_decides_whether_it_is_an_anomaly(method, holes):
    values, _ = spikes(holes)
    values += np.random.default_rng(5).normal(0, 1e-3, len(values))
    whole = detect_anomalies(values, 3.0, method)
    for stop in (150, 1000, 2500):
        assert detect_anomalies(values[:stop], 3.0, method) == [i for i in whole if i < stop]


def by_hand(values, threshold, window, least=5):
    """The definition, window by window."""
    found = []
    for i in range(least, len(values)):
        before = values[max(0, i - window) : i]
        center, spread = before.mean(), before.std(ddof=1)
        if np.ptp(before) == 0:
            center, spread = before[0], 0.0
        away = abs(values[i] - center)
        if away > 1e-9 * max(abs(values[i]), abs(center)) and away > threshold * spread:
            found.append(i)
    return found


def hard_series():
    random = np.random.default_rng(11)
    walk = random.normal(size=40_000).cumsum()
    yield "a walk", walk
    yield "a walk far from zero", walk * 1e-3 + 1e6
    yield "spikes on nothing", spikes()[0]
    yield "spikes on a level", spikes(level=1e6 / 3)[0]
    yield "whole numbers", random.poisson(3, 20_000).astype(float)
    yield "a step", np.repeat([1.0, 1e9, 5.0], 8000) + random.normal(0, 1e-4, 24_000)
    yield "an outlier beyond all", np.where(np.arange(20_000) == 7000, 1e60, walk[:20_000])
    yield "the least", np.full(300, 5e-324)


@pytest.mark.parametrize(("name", "values"), list(hard_series()))
@pytest.mark.parametrize(("threshold", "window"), [(3.0, 60), (2.0, 5), (4.5, 1000)])
@pytest.mark.parametrize("compiled", [False, True])
def test_the_quick_search_finds_what_the_definition_says(
    monkeypatch, name, values, threshold, window, compiled
):
    monkeypatch.setattr("shared.timeseries._kernels.suspects.wants_fast", lambda *_: compiled)
    found = detect_anomalies(values, threshold, "rolling_zscore", window=window)
    assert found == by_hand(values, threshold, window)
    details = detect_anomalies(values, threshold, "rolling_zscore", window=window, details=True)
    assert details.indices == found, name


def test_a_low_threshold_finds_most_values():
    values = np.random.default_rng(2).normal(size=5000)
    found = detect_anomalies(values, 0.1, "rolling_zscore", window=20)
    assert found == by_hand(values, 0.1, 20)
    assert len(found) > 4000
