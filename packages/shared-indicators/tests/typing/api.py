"""The public API as a type-checked file that is never run."""

from typing import TYPE_CHECKING, Any, assert_type

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from shared.indicators import (
    ADX,
    ATR,
    EMA,
    MACD,
    RSI,
    SMA,
    BollingerBands,
    DoubleTop,
    Indicator,
    MACDResult,
    Panel,
    Pattern,
    PatternResult,
    Specification,
    available,
    available_patterns,
    engine,
    plot,
)

if TYPE_CHECKING:
    FloatArray = np.ndarray[Any, np.dtype[np.float64]]

prices = np.array([1.0, 2.0, 3.0])
series = pd.Series([1.0, 2.0, 3.0])
frame = pd.DataFrame({"high": [1.0], "low": [1.0], "close": [1.0]})

assert_type(RSI(period=14, flat=50.0).calculate(prices), "FloatArray")
assert_type(SMA(3).calculate([1, 2, 3]), "FloatArray")
assert_type(SMA(3).calculate(np.zeros((2, 3)), axis=0), "FloatArray")
assert_type(EMA(3).update(1.0), float)
assert_type(EMA(3).lookback, int)
kept: "pd.Series[float]" = SMA(3).calculate(series)
assert_type(ATR(14).calculate(prices, prices, prices), "FloatArray")
ATR(14).calculate(frame)
ATR(14).calculate(high=prices, low=prices, close=prices)

lines = MACD(fast=12, slow=26, signal=9).calculate(prices)
assert_type(lines, MACDResult[Any])
macd, signal, histogram = lines
assert_type(MACD().update(1.0), MACDResult[float])
assert_type(MACD().update(1.0).histogram, float)
assert_type(BollingerBands(period=20, std_dev=2).update(1.0).upper, float)

ticks = RSI().panel(500)
assert_type(ticks, Panel["FloatArray"])
assert_type(ticks.update(np.zeros(500)), "FloatArray")
assert_type(ADX().panel(2).update(prices, prices, prices).plus_di, "FloatArray")

assert_type(available(), dict[str, Specification])
made: Indicator[Any, Any, Any] = available()["RSI"].indicator(period=3)
assert_type(available_patterns(), dict[str, type[Pattern]])
assert_type(DoubleTop(tolerance=0.2).find(prices, prices, prices, prices), PatternResult)
assert_type(DoubleTop().find(frame).known, np.ndarray[Any, np.dtype[np.int64]])
assert_type(plot(frame, [RSI()], [DoubleTop()], title="chart"), Figure)
with engine("numpy"):
    RSI().calculate(prices)
assert_type(RSI().reset(), RSI)
