"""Where floating point is hard, scaling laws, bad input, and what an import costs."""

import math
import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import indicators

# What is wrong on purpose is no business of type checkers.
own: Any = indicators

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


BAD = [
    (lambda: own.SMA(0), ValueError, "period must be at least 1, got 0"),
    (lambda: own.SMA(2.5), TypeError, "period must be a whole number, got 2.5"),
    (lambda: own.SMA(True), TypeError, "period must be a whole number"),  # noqa: FBT003
    (lambda: own.ADX(1), ValueError, "period must be at least 2"),
    (lambda: own.MACD(26, 12), ValueError, "fast must be smaller than slow"),
    (lambda: own.BollingerBands(20, math.nan), ValueError, "std_dev must be finite"),
    (lambda: own.RSI(flat="x"), TypeError, "flat must be a number"),
    (lambda: own.SMA(3).calculate(["a"]), TypeError, "close must hold numbers"),
    (lambda: own.SMA(3).calculate([1, "a"]), TypeError, "close must hold numbers"),
    (lambda: own.SMA(3).calculate([True, False]), TypeError, "close must hold numbers"),
    (lambda: own.SMA(3).calculate([1j]), TypeError, "close must hold numbers"),
    (lambda: own.SMA(3).calculate(None), TypeError, "close must hold numbers"),
    (lambda: own.SMA(3).calculate([[1, 2], [3]]), ValueError, "close must be a regular array"),
    (lambda: own.SMA(3).calculate(1.0), ValueError, "close must have one dimension"),
    (lambda: own.SMA(3).calculate(np.zeros((2, 2, 2))), ValueError, "close must have one"),
    (lambda: own.SMA(3).calculate([1.0], axis=1), ValueError, "axis must be within"),
    (lambda: own.SMA(3).calculate(), TypeError, "input 'close' is missing"),
    (lambda: own.SMA(3).calculate([1.0], [2.0]), TypeError, "2 inputs were given"),
    (lambda: own.SMA(3).calculate([1.0], close=[1.0]), TypeError, "'close' is given twice"),
    (lambda: own.SMA(3).calculate(price=[1.0]), TypeError, "'price' is unknown"),
    (
        lambda: own.ATR().calculate([1], [1], [1, 2]),
        ValueError,
        "close must be as long as high",
    ),
    (lambda: own.ATR().update(1.0), TypeError, "update takes high, low, close; got 1"),
    (lambda: own.SMA(3).update(None), TypeError, "close must be a number"),
    (lambda: own.SMA(3).panel(0), ValueError, "n_symbols must be at least 1"),
    (lambda: own.SMA(3).panel(2).update([1.0]), ValueError, r"close must have shape \(2,\)"),
    (lambda: own.SMA(3).panel(2).update(), TypeError, "update takes close; got 0"),
    (lambda: own.NoSuchThing, AttributeError, "NoSuchThing"),
]


@pytest.mark.parametrize(("call", "kind", "message"), BAD, ids=map(str, range(len(BAD))))
def test_bad_input_is_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_an_unknown_engine_is_refused():
    with (
        pytest.raises(ValueError, match="allowed are 'auto', 'numba' and 'numpy'"),
        own.engine("c"),
    ):
        pass


def test_a_frame_without_a_column_names_it():
    import pandas as pd

    with pytest.raises(ValueError, match="no column 'low'"):
        own.ATR().calculate(pd.DataFrame({"high": [1.0], "close": [1.0]}))


def test_a_frame_of_symbols_is_a_panel():
    import pandas as pd
    import polars as pl

    x = np.random.default_rng(0).normal(size=(50, 3)).cumsum(axis=0)
    expected = own.EMA(5).calculate(x, axis=0)
    frame = pd.DataFrame(x, columns=["A", "B", "C"], index=range(100, 150))
    found = own.EMA(5).calculate(frame)
    assert list(found.columns) == ["A", "B", "C"]
    assert list(found.index) == list(frame.index)
    np.testing.assert_array_equal(found.to_numpy(), expected)
    other = own.EMA(5).calculate(pl.DataFrame(x, schema=["A", "B", "C"]))
    np.testing.assert_array_equal(other.to_numpy(), expected)


def test_missing_values_of_other_kinds():
    import pandas as pd
    import polars as pl

    expected = own.SMA(2).calculate([1.0, np.nan, 3.0, 4.0])
    for values in (
        pd.Series([1, None, 3, 4], dtype="Int64"),
        pl.Series([1, None, 3, 4]),
        [1.0, None, 3.0, 4.0],
        np.ma.masked_array([1.0, 2.0, 3.0, 4.0], mask=[False, True, False, False]),
    ):
        np.testing.assert_array_equal(np.asarray(own.SMA(2).calculate(values)), expected)
    kept = own.SMA(2).calculate(pd.Series([1.0, 2.0], name="x", index=["a", "b"]))
    assert (kept.name, list(kept.index)) == ("x", ["a", "b"])


def test_a_method_taken_early_goes_on_well():
    indicator = own.EMA(3)
    update = indicator.update
    x = np.random.default_rng(0).normal(size=50)
    found = [update(float(v)) for v in x]
    np.testing.assert_allclose(found, own.EMA(3).calculate(x), rtol=1e-12)


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, shared.indicators as i; i.RSI; "
        "print([m for m in ('numba', 'pandas', 'polars', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_numba_numpy_calculates_and_the_extra_is_named():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "import shared.indicators._engine as e\n"
        "e.find_spec = lambda name: None if name == 'numba' else find(name)\n"
        "from shared.indicators import SMA, engine\n"
        "print(SMA(2).calculate([1, 3]))\n"
        "try:\n"
        "    with engine('numba'): SMA(2).calculate([1, 3])\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "[nan  2.]",
        "engine 'numba' needs numba: pip install 'shared-indicators[fast]'",
    ]
