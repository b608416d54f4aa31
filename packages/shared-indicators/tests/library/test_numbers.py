"""Where floating point is hard, and scaling laws."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import indicators as own

quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

prices = st.lists(st.floats(0.01, 1e4), min_size=40, max_size=40).map(np.array)


def streamed(indicator, x):
    indicator.reset()
    found = [indicator.update(float(v)) for v in x]
    return np.array(found).T


def panelled(indicator, x):
    panel = indicator.panel(2)
    return np.array([panel.update([v, 1.0])[0] for v in x])


FORMS = {"batch": lambda i, x: i.calculate(x), "stream": streamed, "panel": panelled}

forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@forms
def test_a_spike_leaves_no_trace(engine, form):
    x = np.linspace(1, 2, 60)
    spiked = x.copy()
    spiked[20] = 1e16
    for indicator in (own.SMA(5), own.WMA(5), own.StdDev(5), own.Max(5), own.Min(5)):
        clean, found = form(indicator, x), form(indicator, spiked)
        np.testing.assert_allclose(found[25:], clean[25:], rtol=1e-12, atol=1e-15)


def test_an_sma_does_not_drift(engine):
    x = np.random.default_rng(0).normal(size=1_000_000) * 1e3 + 1e6
    found = own.SMA(50).calculate(x)
    for i in (49, 500_000, 999_999):
        exact = float(sum(map(Fraction, x[i - 49 : i + 1].tolist())) / 50)
        assert abs(found[i] - exact) <= 1e-9
    stream, last = own.SMA(50), 0.0
    for value in x[:100_000].tolist():
        last = stream.update(value)
    assert abs(last - found[99_999]) <= 1e-9


@forms
def test_a_small_deviation_around_a_large_mean(engine, form):
    rng = np.random.default_rng(3)
    x = 1e9 + rng.normal(size=400) * 1e-3
    for period in (5, 20, 100):
        found = form(own.StdDev(period), x)
        for i in (period - 1, 200, 399):
            window = [Fraction(v) for v in x[i - period + 1 : i + 1].tolist()]
            mean = sum(window) / period
            exact = math.sqrt(sum((v - mean) ** 2 for v in window) / period)
            assert found[i] == pytest.approx(exact, rel=1e-5)


@forms
def test_rsi_at_its_ends(engine, form):
    up = np.arange(1.0, 60.0)
    assert (form(own.RSI(14), up)[14:] == 100.0).all()
    assert (form(own.RSI(14), up[::-1].copy())[14:] == 0.0).all()
    flat = np.full(60, 3.7)
    assert (form(own.RSI(14), flat)[14:] == 50.0).all()
    assert (form(own.RSI(14, flat=0.0), flat)[14:] == 0.0).all()


@forms
def test_constant_series(engine, form):
    flat = np.full(100, 0.1)
    assert (form(own.StdDev(7), flat)[6:] == 0.0).all()
    np.testing.assert_allclose(form(own.EMA(7), flat)[6:], 0.1, rtol=1e-15)


@given(x=prices, factor=st.sampled_from([1e-6, 0.5, 3.0, 1e6]))
@quick
def test_rsi_is_scale_free(engine, x, factor):
    a, b = own.RSI(5).calculate(x), own.RSI(5).calculate(x * factor)
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@given(x=prices, y=prices, k=st.floats(-3, 3))
@quick
def test_sma_is_linear(engine, x, y, k):
    sma = own.SMA(5)
    np.testing.assert_allclose(
        sma.calculate(x + k * y), sma.calculate(x) + k * sma.calculate(y), rtol=1e-9, atol=1e-8
    )


@given(x=prices, factor=st.floats(0.1, 100), shift=st.floats(-1e3, 1e3))
@quick
def test_bollinger_bands_scale_and_shift(engine, x, factor, shift):
    bands = own.BollingerBands(5)
    for a, b in zip(bands.calculate(x), bands.calculate(x * factor + shift), strict=True):
        np.testing.assert_allclose(b, a * factor + shift, rtol=1e-6, atol=1e-5 * factor)
