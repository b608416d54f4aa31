"""Patterns on constructed and real charts."""

import itertools
from typing import Any

import numpy as np
import pytest
import talib as ta
from bokeh_sampledata import stocks
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import indicators as own

# Its stubs know the arrays one by one only.
talib: Any = ta
OHLC = ("open", "high", "low", "close")
PATTERNS = own.available_patterns()
every = pytest.mark.parametrize("name", PATTERNS)


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


def path(*turns, step=6):
    """Bars along straight lines from turn to turn."""
    close = np.concatenate(
        [np.linspace(a, b, step, endpoint=False) for a, b in itertools.pairwise(turns)]
    )
    return close, close + 0.1, close - 0.1, close


@pytest.mark.parametrize("name", ["DoubleTop", "DoubleBottom"])
def test_double_top(name):
    bars = path(90, 100, 95, 99.8, 90, 89)
    if name == "DoubleBottom":
        bars = flip(np.array(bars))
    found = PATTERNS[name]().find(*bars)
    assert found.start.tolist() == [6]
    assert found.position.tolist() == [18]
    # From 99.8 to 90 in six bars: the fourth is below 94.9, the low of the valley.
    assert found.known.tolist() == [22]
    assert found.direction.tolist() == [-1 if name == "DoubleTop" else 1]
    assert found.confidence[0] == pytest.approx(1 - 0.2 / 5.1, abs=0.01)


def test_no_double_top_where_a_higher_high_comes_first_or_nothing_breaks():
    assert len(own.DoubleTop().find(*path(90, 100, 95, 99.8, 97, 103, 90)).known) == 0
    assert len(own.DoubleTop().find(*path(90, 100, 95, 99.8, 96, 97)).known) == 0
    assert len(own.DoubleTop().find(*path(90, 100, 95, 97, 90)).known) == 0


@pytest.mark.parametrize("name", ["HeadAndShoulders", "InverseHeadAndShoulders"])
def test_head_and_shoulders(name):
    bars = path(90, 100, 95, 105, 95, 100, 90, 88)
    if name == "InverseHeadAndShoulders":
        bars = flip(np.array(bars))
    found = PATTERNS[name]().find(*bars)
    assert found.start.tolist() == [6]
    assert found.position.tolist() == [18]
    assert found.known.tolist() == [34]
    assert found.direction.tolist() == [-1 if name == "HeadAndShoulders" else 1]
    assert found.confidence[0] == pytest.approx(1)


def test_pivots_are_known_later():
    found = own.SwingPivots(2, 4).find(*path(1, 5, 2, 6, 1))
    assert found.position.tolist() == [6, 12, 18]
    assert (found.known - found.position).tolist() == [4, 4, 4]
    assert found.direction.tolist() == [-1, 1, -1]


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


def test_frames_and_bad_input():
    import pandas as pd

    bars = dict(zip(("Open", "High", "Low", "Close"), candles(SHAPES["Doji"]), strict=True))
    assert own.Doji().find(pd.DataFrame(bars)).position.tolist() == [12]
    with pytest.raises(ValueError, match="one dimension"):
        own.Doji().find(*np.zeros((4, 2, 3)))
    with pytest.raises(TypeError, match="input 'close' is missing"):
        own.Doji().find([1.0], [1.0], [1.0])


def test_plot_draws_what_was_asked(make_bars, tmp_path):
    import pandas as pd

    frame = pd.DataFrame(make_bars(120), index=pd.date_range("2024-01-01", periods=120))
    every_indicator = [spec.indicator() for spec in own.available().values()]
    with own.engine("numpy"):
        figure = own.plot(frame, every_indicator, [p() for p in PATTERNS.values()], title="all")
    below = [i for i in every_indicator if i.group != "overlap" and not i.on_price]
    assert len(figure.axes) == 1 + len(below)
    assert figure.axes[0].get_title(loc="left") == "all"
    figure = own.plot(make_bars(120), [own.RSI()], [own.SwingPivots()])
    figure.savefig(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").stat().st_size > 10_000
    with pytest.raises(TypeError, match="input 'volume' is missing"):
        own.plot({k: v for k, v in make_bars(30).items() if k != "volume"}, [own.OBV()])


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
