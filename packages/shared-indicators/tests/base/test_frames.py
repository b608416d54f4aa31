"""Frames of real libraries: price downloads of several symbols, doubled and missing columns, indexes."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from shared import indicators

own: Any = indicators
SYMBOLS = [f"S{i:02}" for i in range(40)]
DAYS = pd.date_range("2024-01-01", periods=60, name="Date")


def download(make_bars, *, symbols=SYMBOLS, ticker_first=False):
    """What a price download of several tickers returns: columns of two levels."""
    parts = {s: pd.DataFrame(make_bars(60, seed=i), index=DAYS) for i, s in enumerate(symbols)}
    frame = pd.concat(parts, axis=1, names=["Ticker", "Price"])
    frame.columns = frame.columns.set_levels(frame.columns.levels[1].str.capitalize(), level=1)
    return frame if ticker_first else frame.swaplevel(axis=1).sort_index(axis=1)


def alone(make_bars, i, indicator):
    bars = make_bars(60, seed=i)
    return indicator.calculate(*(bars[name] for name in indicator.inputs))


@pytest.mark.parametrize("symbols", [SYMBOLS, SYMBOLS[:3], SYMBOLS[:1]], ids=len)
def test_frames_of_several_symbols_are_panels_with_a_row_per_bar(make_bars, symbols):
    df = download(make_bars, symbols=symbols)
    found = own.ATR().calculate(df.High, df.Low, df.Close)
    assert list(found.columns) == symbols
    assert found.index.equals(DAYS)
    for i, symbol in enumerate(symbols):
        np.testing.assert_array_equal(found[symbol], alone(make_bars, i, own.ATR()))


@pytest.mark.parametrize("ticker_first", [True, False])
@pytest.mark.parametrize("name", ["ATR", "RSI", "VWAP", "OBV", "MACD", "Stochastic"])
def test_a_whole_download_is_read_by_level(make_bars, ticker_first, name):
    indicator = getattr(own, name)()
    found = indicator.calculate(download(make_bars, ticker_first=ticker_first))
    expected = alone(make_bars, 7, indicator)
    found, expected = (x if isinstance(x, tuple) else (x,) for x in (found, expected))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours["S07"], theirs)


def test_symbols_in_another_order_are_put_in_order(make_bars):
    df = download(make_bars, symbols=SYMBOLS[:3])
    found = own.ATR().calculate(df.High, df.Low[["S02", "S00", "S01"]], df.Close)
    pd.testing.assert_frame_equal(found, own.ATR().calculate(df.High, df.Low, df.Close))


def test_polars_frames_are_panels_too(make_bars):
    df = download(make_bars, symbols=SYMBOLS[:3])
    high, low, close = (pl.from_pandas(df[name]) for name in ("High", "Low", "Close"))
    found = own.ATR().calculate(high, low.select("S01", "S00", "S02"), close)
    assert isinstance(found, pl.DataFrame)
    np.testing.assert_array_equal(found["S01"], alone(make_bars, 1, own.ATR()))


def bars_frame(make_bars):
    return pd.DataFrame(make_bars(60), index=DAYS)


REFUSED = {
    "a doubled column": (
        lambda df: own.ATR().calculate(pd.concat([df, df[["close"]]], axis=1)),
        "one column 'close', not 2",
    ),
    "a doubled column, one input": (
        lambda df: own.RSI().calculate(pd.concat([df, df[["close"]]], axis=1)),
        "one column 'close', not 2",
    ),
    "a column in two cases": (
        lambda df: own.RSI().calculate(
            df.rename(columns={"close": "Close"}).assign(CLOSE=df.close)
        ),
        "one column 'close', not 2",
    ),
    "no close": (
        lambda df: own.RSI().calculate(df.drop(columns="close")),
        "no column 'close'",
    ),
    "no close, capitals": (
        lambda df: own.RSI().calculate(df.drop(columns="close").rename(columns=str.upper)),
        "no column 'close'",
    ),
    "no close, a column of ours": (
        lambda df: own.RSI().calculate(df[["volume"]].assign(signal=1.0)),
        "no column 'close'",
    ),
    "no close, polars": (
        lambda df: own.RSI().calculate(pl.from_pandas(df.drop(columns="close"))),
        "no column 'close'",
    ),
    "no close for any symbol": (
        lambda df: own.RSI().calculate(pd.concat({"A": df.drop(columns="close")}, axis=1)),
        "no column 'close'",
    ),
    "no volume for one symbol": (
        lambda df: own.OBV().calculate(
            pd.concat({"A": df, "B": df.drop(columns="volume")}, axis=1)
        ),
        "volume must have the columns",
    ),
    "another index": (
        lambda df: own.ATR().calculate(df.high, df.low, df.close.shift(1, freq="D")),
        "close must have the index of high",
    ),
    "the index in another order": (
        lambda df: own.ATR().calculate(df.high, df.low[::-1], df.close),
        "low must have the index of high",
    ),
    "a shorter frame": (
        lambda df: own.OBV().calculate(df[["close"]], df[["volume"]][1:].set_axis(["close"], axis=1)),
        r"volume must be of shape \(60, 1\)",
    ),
    "frames with another index": (
        lambda df: own.OBV().calculate(
            df[["close"]], df[["volume"]].set_axis(["close"], axis=1).shift(1, freq="D")
        ),
        "volume must have the index of close",
    ),
    "bars in the rows of a frame": (
        lambda df: own.RSI().calculate(df.add_prefix("x").T, axis=1),
        "axis must be 0 or omitted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_frame_that_does_not_say_what_is_what_is_refused(make_bars, case):
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        call(bars_frame(make_bars))


def test_a_frame_beside_an_array_needs_the_axis(make_bars):
    df = bars_frame(make_bars)
    with pytest.raises(TypeError, match="volume must be a frame as the others are, or axis=0"):
        own.OBV().calculate(df[["close"]], df[["volume"]].to_numpy())
    found = own.OBV().calculate(df[["close"]], df[["volume"]].to_numpy(), axis=0)
    np.testing.assert_array_equal(found["close"], own.OBV().calculate(df.close, df.volume))


def test_symbols_that_are_words_of_bars_stay_symbols():
    frame = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=["AAPL", "LOW", "OPEN"])
    assert list(own.SMA(2).calculate(frame).columns) == ["AAPL", "LOW", "OPEN"]


def test_equal_indexes_need_not_be_the_same_object(make_bars):
    df = bars_frame(make_bars)
    low = pd.Series(df.low.to_numpy(), index=pd.DatetimeIndex(list(DAYS)))
    found = own.ATR().calculate(df.high, low, df.close)
    np.testing.assert_array_equal(found, own.ATR().calculate(df))


NOT_NUMBERS = {
    "dates": pd.Series(pd.date_range("2024", periods=3)),
    "dates with a zone": pd.Series(pd.date_range("2024", periods=3, tz="UTC")),
    "durations": pd.Series(pd.to_timedelta([1, 2, 3])),
    "text": pd.Series(["1", "2", "3"]),
    "text as objects": pd.Series(["1", "2", "3"], dtype=object),
    "text of Arrow": pd.Series(["1", "2"], dtype=pd.ArrowDtype(pa.string())),
    "categories": pd.Series(["1", "2"], dtype="category"),
    "truths": pd.Series([True, False]),
    "nullable truths": pd.Series([True, None], dtype="boolean"),
    "complex numbers": pd.Series([1j, 2]),
    "python dates": pd.Series([dt.date(2024, 1, 1)]),
    "a frame with text": pd.DataFrame({"A": [1.0], "B": ["1"]}),
    "a frame with dates": pd.DataFrame({"A": [1.0], "B": pd.to_datetime(["2024"])}),
    "an index of dates": pd.date_range("2024", periods=3),
    "numpy dates": np.array(["2024-01-01"], "datetime64[ns]"),
    "numpy text": np.array(["1", "2"]),
    "numpy dates as objects": [np.datetime64("2024-01-01"), None],
    "polars dates": pl.Series([dt.date(2024, 1, 1), None]),
    "polars text": pl.Series(["1", "2"]),
    "polars truths": pl.Series([True, None]),
    "polars durations": pl.Series([dt.timedelta(1)]),
    "an Arrow array of text": pa.array(["1"]),
    "an Arrow array of dates": pa.array([dt.datetime(2024, 1, 1)]),
}


@pytest.mark.parametrize("case", NOT_NUMBERS)
def test_dates_text_and_truths_are_not_numbers(case):
    with pytest.raises(TypeError, match="close must hold numbers, not"):
        own.SMA(2).calculate(NOT_NUMBERS[case])


NUMBERS = {
    "Arrow doubles": pd.Series([1, None, 3, 5], dtype=pd.ArrowDtype(pa.float64())),
    "Arrow decimals": pd.Series(
        [Decimal(1), None, Decimal(3), Decimal(5)], dtype=pd.ArrowDtype(pa.decimal128(9, 2))
    ),
    "nullable integers": pd.Series([1, None, 3, 5], dtype="Int8"),
    "decimals": pd.Series([Decimal(1), None, Decimal(3), Decimal(5)]),
    "objects with NA": pd.Series([1, pd.NA, 3.0, np.float32(5)], dtype=object),
    "polars decimals": pl.Series([Decimal(1), None, Decimal(3), Decimal(5)]),
    "an Arrow array": pa.array([1, None, 3, 5]),
    "a chunked Arrow array": pa.chunked_array([[1.0, None], [3.0, 5.0]]),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_of_every_library_are_read(case):
    found = np.asarray(own.SMA(2).calculate(NUMBERS[case]))
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 4.0])
