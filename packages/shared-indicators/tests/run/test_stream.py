"""The stream of an instance: how it is called, and what the methods show of it."""

import inspect

import numpy as np
import pytest

from shared import indicators as own


def test_the_methods_show_the_inputs():
    assert str(inspect.signature(own.ATR(5).calculate)) == "(high, low, close, *, axis=-1)"
    assert str(inspect.signature(own.ATR(5).update)) == "(high, low, close, /)"
    assert str(inspect.signature(own.MACD().update)) == "(close, /)"


def test_a_formula_of_that_name_elsewhere_has_no_compiled_loop():
    class RSI(own.RSI):
        def formula(self, close):
            return close

    assert own.RSI.native == "RSI"
    assert RSI.native == ""
    np.testing.assert_array_equal(RSI(2).calculate([1.0, 3.0]), [1.0, 3.0])


def test_parameters_are_the_same_before_and_after_the_first_value():
    indicator = own.EMA(2)
    for price in (1.0, 2.0, 3.0):
        assert indicator.parameters == {"period": 2}
        indicator.update(price)
    assert indicator.parameters == {"period": 2}


def test_a_method_taken_early_goes_on_well():
    indicator = own.EMA(3)
    update = indicator.update
    x = np.random.default_rng(0).normal(size=50)
    found = [update(float(v)) for v in x]
    np.testing.assert_allclose(found, own.EMA(3).calculate(x), rtol=1e-12)


def test_a_missing_value_of_an_update_is_named():
    indicator = own.ATR(1)
    for _ in range(3):
        for values in ((), (2.0,), (2.0, 1.0)):
            with pytest.raises(TypeError, match="close"):
                indicator.update(*values)
        indicator.update(2.0, 1.0, 1.5)
