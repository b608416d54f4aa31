"""Values and NaN masks equal TA-Lib's."""

import numpy as np
import pytest
import talib

from shared import indicators
from shared.indicators import EMA, MACD, RSI, SMA, BollingerBands


@pytest.fixture(params=["numpy", "numba"])
def engine(request):
    with indicators.engine(request.param):
        yield request.param


def walk(bars=5_000, seed=1):
    return 100 + np.cumsum(np.random.default_rng(seed).normal(size=bars)) * 0.1


def same(ours, theirs):
    ours = ours if isinstance(ours, tuple) else (ours,)
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)


PERIODS = (2, 3, 5, 14, 20, 50, 200)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(SMA, talib.SMA), (EMA, talib.EMA), (RSI, talib.RSI), (BollingerBands, talib.BBANDS)],
)
def test_one_period(engine, ours, theirs, period):
    x = walk()
    same(ours(period).calculate(x), theirs(x, period))


@pytest.mark.parametrize("periods", [(12, 26, 9), (3, 10, 16), (5, 35, 5)])
def test_macd(engine, periods):
    x = walk()
    same(MACD(*periods).calculate(x), talib.MACD(x, *periods))
