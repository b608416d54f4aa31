"""Exponential weights against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.timeseries import ewma


@settings(max_examples=40)
@given(
    values=st.lists(st.one_of(st.just(np.nan), st.floats(-100, 100)), max_size=40),
    weight=st.sampled_from([{"alpha": 0.3}, {"span": 5}, {"halflife": 2}, {"com": 1.5}]),
    adjust=st.booleans(),
)
def test_ewma_equals_pandas(values, weight, adjust):
    expected = pd.Series(values, dtype=float).ewm(**weight, adjust=adjust).mean()
    np.testing.assert_allclose(ewma(values, **weight, adjust=adjust), expected, atol=1e-9)


def test_exactly_one_weight_is_needed():
    with pytest.raises(ValueError, match="exactly one"):
        ewma([1], alpha=0.5, span=3)
    with pytest.raises(ValueError, match="exactly one"):
        ewma([1])


@pytest.mark.parametrize(
    ("how", "allowed"),
    [
        ({"alpha": 0}, "above 0 and of at most 1"),
        ({"alpha": 1.5}, "above 0 and of at most 1"),
        ({"span": 0.5}, "of at least 1"),
        ({"halflife": 0}, "above 0"),
        ({"com": -1}, "of at least 0"),
    ],
)
def test_a_weight_out_of_range_is_named(how, allowed):
    with pytest.raises(ValueError, match=f"{next(iter(how))} must be a finite number {allowed}"):
        ewma([1], **how)
