"""Candlestick patterns on constructed and real charts."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib as ta
from bokeh_sampledata import stocks

from shared import indicators as own

# Its stubs know the arrays one by one only.
talib: Any = ta

OHLC = ("open", "high", "low", "close")

PATTERNS = own.available_patterns()


def candles(rows, before=12):
    """Quiet falling (or rising) bars, then the rows (open, high, low, close)."""
    lead = [(110 - i, 110.2 - i, 108.8 - i, 109 - i) for i in range(before)]
    return np.array([*lead, *rows], dtype=float).T


def flip(bars):
    first, high, low, close = bars
    return np.array([200 - first, 200 - low, 200 - high, 200 - close])


SHAPES: dict[str, list[tuple[float, ...]]] = {
    "Doji": [(98, 99, 97, 98.05)],
    "Hammer": [(97, 98.1, 93, 98)],
    "Engulfing": [(98, 98.2, 96.8, 97), (96.9, 99, 96.5, 98.5)],
    "Harami": [(98, 98.2, 93.8, 94), (95, 96.2, 94.8, 96)],
    "MorningStar": [(98, 98.2, 93.8, 94), (93.8, 94.2, 93, 93.5), (94, 98, 93.9, 97.5)],
    "ThreeSoldiers": [(97, 99.1, 96.9, 99), (98, 101.1, 97.9, 101), (100, 103.1, 99.9, 103)],
}


@pytest.mark.parametrize("name", SHAPES)
def test_candles_are_found_where_they_are(name):
    bars = candles(SHAPES[name])
    found = PATTERNS[name]().find(*bars)
    last = bars.shape[1] - 1
    assert found.position.tolist() == [last]
    assert found.known.tolist() == [last]
    assert found.start.tolist() == [last + 1 - len(SHAPES[name])]
    assert found.direction.tolist() == [0 if name == "Doji" else 1]
    assert 0 < found.confidence[0] <= 1


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("EveningStar", "MorningStar"),
        ("ThreeCrows", "ThreeSoldiers"),
        ("Engulfing", "Engulfing"),
        ("Harami", "Harami"),
    ],
)
def test_falling_candles_are_rising_ones_upside_down(name, shape):
    found = PATTERNS[name]().find(*flip(candles(SHAPES[shape])))
    assert found.direction.tolist() == [-1]


@pytest.mark.parametrize("name", SHAPES)
def test_a_candle_short_of_its_shape_is_not_found(name):
    almost = {
        "Doji": [(98, 99, 97, 98.3)],
        "Hammer": [(97, 98.1, 96, 98)],
        "Engulfing": [(98, 98.2, 96.8, 97), (97.2, 99, 96.5, 98.5)],
        "Harami": [(98, 98.2, 93.8, 94), (93.5, 96.2, 93.4, 96)],
        "MorningStar": [(98, 98.2, 93.8, 94), (93.8, 94.2, 93, 93.5), (94, 98, 93.9, 95.5)],
        "ThreeSoldiers": [(97, 99.1, 96.9, 99), (98, 101.1, 97.9, 101), (101.5, 103.1, 99.9, 103)],
    }[name]
    assert len(PATTERNS[name]().find(*candles(almost)).position) == 0


def test_frames_and_bad_input():
    bars = dict(zip(("Open", "High", "Low", "Close"), candles(SHAPES["Doji"]), strict=True))
    assert own.Doji().find(pd.DataFrame(bars)).position.tolist() == [12]
    with pytest.raises(ValueError, match="one dimension"):
        own.Doji().find(*np.zeros((4, 2, 3)))
    with pytest.raises(TypeError, match="input 'close' is missing"):
        own.Doji().find([1.0], [1.0], [1.0])


@pytest.mark.parametrize("share", ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
def test_engulfing_is_talibs_where_there_is_a_body_to_cover(share):
    """TA-Lib lets a bar that closes where it opened be covered; a body that is not there is not."""
    bars = [np.array(getattr(stocks, share)[k], dtype=float) for k in OHLC]
    found = own.Engulfing().find(*bars)
    ours = dict(zip(found.known.tolist(), found.direction.tolist(), strict=True))
    flags = talib.CDLENGULFING(*bars)
    before = np.r_[0.0, np.abs(bars[3] - bars[0])[:-1]]
    theirs = {i: int(np.sign(flags[i])) for i in np.flatnonzero(flags).tolist() if before[i] > 0.0}
    assert ours == theirs
