"""Laws that hold for every pattern."""

import numpy as np
import pytest
from bokeh_sampledata import stocks
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import indicators as own

PATTERNS = own.available_patterns()

every = pytest.mark.parametrize("name", PATTERNS)


@every
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_no_pattern_looks_ahead(name, seed):
    """What is found in a prefix is what became known in it."""
    rng = np.random.default_rng(seed)
    close = 100 + np.cumsum(rng.normal(size=250))
    first = np.roll(close, 1) + rng.normal(size=250) * 0.1
    high = np.maximum(first, close) + rng.random(250)
    low = np.minimum(first, close) - rng.random(250)
    pattern = PATTERNS[name]()
    whole = pattern.find(first, high, low, close)
    assert (whole.start <= whole.position).all()
    assert (whole.position <= whole.known).all()
    assert ((whole.confidence > 0) & (whole.confidence <= 1)).all() or name == "SwingPivots"
    for n in (0, 1, 20, 100, 173, 249):
        part = pattern.find(first[:n], high[:n], low[:n], close[:n])
        seen = whole.known < n
        for a, b in zip(part, whole, strict=True):
            np.testing.assert_array_equal(a, b[seen])


@every
def test_real_charts_have_them(name):
    total = 0
    for stock in (stocks.AAPL, stocks.GOOG, stocks.IBM, stocks.MSFT):
        bars = [np.array(stock[k], dtype=float) for k in ("open", "high", "low", "close")]
        total += len(PATTERNS[name]().find(*bars).known)
    assert total > 0


@every
def test_a_gap_is_part_of_no_pattern(name):
    bars = np.full((4, 60), np.nan)
    assert len(PATTERNS[name]().find(*bars).known) == 0
