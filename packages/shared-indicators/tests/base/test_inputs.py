"""What is accepted as an input, and what is refused, in words that name it."""

import math
from typing import Any

import numpy as np
import pytest

from shared import indicators

# What is wrong on purpose is not the business of type checkers.
own: Any = indicators

BAD = [
    (lambda: own.SMA(0), ValueError, "period must be a whole number of at least 1, not 0"),
    (lambda: own.SMA(2.5), ValueError, "period must be a whole number of at least 1, not 2.5"),
    (lambda: own.SMA(True), TypeError, "period must be a whole number"),  # noqa: FBT003
    (lambda: own.ADX(1), ValueError, "period must be a whole number of at least 2, not 1"),
    (lambda: own.MACD(26, 12), ValueError, "fast must be smaller than slow=12, not 26"),
    (
        lambda: own.BollingerBands(20, math.nan),
        ValueError,
        "std_dev must be a finite number, not nan",
    ),
    (lambda: own.RSI(flat="x"), TypeError, "flat must be a finite number, not 'x'"),
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
    (lambda: own.SMA(3).update(None), TypeError, "close must be a finite number, not None"),
    (lambda: own.SMA(3).panel(0), ValueError, "n_symbols must be a whole number of at least 1"),
    (
        lambda: own.SMA(3).panel(2).update([1.0]),
        ValueError,
        r"close must be an array of shape \(2,\)",
    ),
    (lambda: own.SMA(3).panel(2).update(), TypeError, "update takes close; got 0"),
    (lambda: own.NoSuchThing, AttributeError, "NoSuchThing"),
]


@pytest.mark.parametrize(("call", "kind", "message"), BAD, ids=map(str, range(len(BAD))))
def test_bad_input_is_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


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
