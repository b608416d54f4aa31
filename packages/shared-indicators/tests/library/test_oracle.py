"""Values and NaN masks equal TA-Lib's, at every sensible period, on walks and on real bars."""

from typing import Any

import numpy as np
import pytest
import talib as ta
from bokeh_sampledata import stocks

from shared import indicators as own

# Its stubs know the arrays one by one only.
talib: Any = ta
SHORT = (2, 3, 5, 14, 20, 50, 200)


def oracles():
    """(our indicator, TA-Lib's answer on bars)."""
    for p in SHORT:
        yield own.SMA(p), lambda b, p=p: talib.SMA(b["close"], p)
        yield own.EMA(p), lambda b, p=p: talib.EMA(b["close"], p)
        yield own.WMA(p), lambda b, p=p: talib.WMA(b["close"], p)
        yield own.DEMA(p), lambda b, p=p: talib.DEMA(b["close"], p)
        yield own.TEMA(p), lambda b, p=p: talib.TEMA(b["close"], p)
        yield own.KAMA(p), lambda b, p=p: talib.KAMA(b["close"], p)
        yield own.Max(p), lambda b, p=p: talib.MAX(b["close"], p)
        yield own.Min(p), lambda b, p=p: talib.MIN(b["close"], p)
        yield own.RSI(p), lambda b, p=p: talib.RSI(b["close"], p)
        yield own.TRIX(p), lambda b, p=p: talib.TRIX(b["close"], p)
        yield own.ROC(p), lambda b, p=p: talib.ROC(b["close"], p)
        yield own.Momentum(p), lambda b, p=p: talib.MOM(b["close"], p)
        yield own.StdDev(p), lambda b, p=p: talib.STDDEV(b["close"], p)
        yield own.StdDev(p, 2.5), lambda b, p=p: talib.STDDEV(b["close"], p, 2.5)
        yield own.BollingerBands(p), lambda b, p=p: talib.BBANDS(b["close"], p, 2, 2)
        yield own.StochRSI(p, 5, 3), lambda b, p=p: talib.STOCHRSI(b["close"], p, 5, 3)
        yield own.WilliamsR(p), lambda b, p=p: talib.WILLR(*hlc(b), p)
        yield own.CCI(p), lambda b, p=p: talib.CCI(*hlc(b), p)
        yield own.ATR(p), lambda b, p=p: talib.ATR(*hlc(b), p)
        yield own.NATR(p), lambda b, p=p: talib.NATR(*hlc(b), p)
        yield own.MFI(p), lambda b, p=p: talib.MFI(*hlc(b), b["volume"], p)
        yield own.PlusDI(p), lambda b, p=p: talib.PLUS_DI(*hlc(b), p)
        yield own.MinusDI(p), lambda b, p=p: talib.MINUS_DI(*hlc(b), p)
        yield own.ADX(p), lambda b, p=p: adx(b, p)
        yield own.Aroon(p), lambda b, p=p: talib.AROON(b["high"], b["low"], p)[::-1]
    yield own.ATR(1), lambda b: talib.ATR(*hlc(b), 1)
    yield own.TrueRange(), lambda b: talib.TRANGE(*hlc(b))
    yield own.OBV(), lambda b: talib.OBV(b["close"], b["volume"])
    yield own.AccumulationDistribution(), lambda b: talib.AD(*hlc(b), b["volume"])
    yield own.PVT(), lambda b: talib.PVT(b["close"], b["volume"])
    yield own.VWAP(), lambda b: talib.VWAP(*hlc(b), b["volume"])
    for p, a, k in (
        (20, 10, 2), (5, 3, 1.5), (5, 4, 2), (5, 5, 2), (5, 10, 2), (2, 1, 2), (10, 50, 2), (20, 21, 2)
    ):  # fmt: skip
        yield (
            own.KeltnerChannels(p, a, k),
            lambda b, p=p, a=a, k=k: talib.KC(*hlc(b), p, a, k),
        )
    for p, k in ((10, 3.0), (2, 0.5), (14, 1.0), (7, 2.5)):
        yield own.SuperTrend(p, k), lambda b, p=p, k=k: supertrend(b, p, k)
    for k1 in ((3, 10), (2, 5), (6, 20)):
        yield own.ChaikinOscillator(*k1), lambda b, k=k1: talib.ADOSC(*hlc(b), b["volume"], *k)
    for k2 in ((5, 3, 3), (14, 3, 3), (14, 1, 3), (1, 1, 1)):
        yield (
            own.Stochastic(*k2),
            lambda b, k=k2: talib.STOCH(*hlc(b), k[0], slowk_period=k[1], slowd_period=k[2]),
        )
    for k3 in ((12, 26), (3, 10), (5, 35)):
        yield own.PPO(*k3), lambda b, k=k3: talib.PPO(b["close"], *k, matype=1)
        yield own.MACD(*k3, 9), lambda b, k=k3: talib.MACD(b["close"], *k, 9)
    yield own.MACD(12, 26, 1), lambda b: talib.MACD(b["close"], 12, 26, 1)
    for k4 in ((7, 14, 28), (2, 4, 8)):
        yield own.UltimateOscillator(*k4), lambda b, k=k4: talib.ULTOSC(*hlc(b), *k)
    for k5 in ((0.02, 0.2), (0.05, 0.1), (0.3, 0.2)):
        yield own.ParabolicSAR(*k5), lambda b, k=k5: talib.SAR(b["high"], b["low"], *k)


def hlc(bars):
    return bars["high"], bars["low"], bars["close"]


def adx(bars, p):
    """All our lines begin with the ADX."""
    lines = [f(*hlc(bars), p) for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)]
    for line in lines:
        line[: 2 * p - 1] = np.nan
    return lines


def supertrend(bars, p, k):
    """TA-Lib's direction before the first value is 0, of integers."""
    line, direction = talib.SUPERTREND(*hlc(bars), p, k)
    return line, np.where(direction == 0, np.nan, direction)


CASES = [pytest.param(*case, id=repr(case[0])) for case in oracles()]


def same(ours, theirs, lookback):
    ours = ours if isinstance(ours, tuple) else (ours,)
    theirs = theirs if isinstance(theirs, tuple | list) else (theirs,)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == np.float64
        # Where large numbers cancel, relative to these.
        np.testing.assert_allclose(
            a, b, rtol=1e-9, atol=1e-9 + 1e-13 * np.max(np.abs(b), initial=0.0, where=~np.isnan(b))
        )
        assert np.isnan(a[:lookback]).all()
        assert np.isfinite(a[lookback:]).all()


@pytest.mark.parametrize(("ours", "theirs"), CASES)
def test_a_walk_equals_talib(engine, make_bars, ours, theirs):
    bars = make_bars(2_000)
    same(ours.calculate(*(bars[name] for name in ours.inputs)), theirs(bars), ours.lookback)


@pytest.fixture(scope="module")
def real():
    return [
        {
            k: np.array(getattr(stocks, name)[k], dtype=float)
            for k in ("open", "high", "low", "close", "volume")
        }
        for name in ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    ]


@pytest.mark.parametrize(("ours", "theirs"), CASES)
def test_real_bars_equal_talib(real, ours, theirs):
    for bars in real:
        same(ours.calculate(*(bars[name] for name in ours.inputs)), theirs(bars), ours.lookback)


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("KeltnerChannels", "everywhere: another price"),
        ("SuperTrend", "until the trend first turns"),
        ("PVT", "at the first bar"),
    ],
)
def test_the_other_convention_differs_from_talib(engine, make_bars, lines, name, differs):
    bars = make_bars(400)
    default, other = getattr(own, name)(), getattr(own, name)(convention="tradingview")
    talibs, others = (lines(i.calculate(*(bars[k] for k in i.inputs))) for i in (default, other))
    apart = ~np.isclose(talibs, others, rtol=1e-12, equal_nan=True).all(axis=0)
    if "everywhere" in differs:
        assert apart[default.lookback :].all()
    elif "first bar" in differs:
        assert np.flatnonzero(apart).tolist() == [0]
    else:
        assert others[1, other.lookback] == -1
        assert talibs[1, default.lookback] == 1
        assert not apart[200:].any()
    with pytest.raises(ValueError, match="convention must be one of 'talib', 'tradingview'"):
        getattr(own, name)(convention="mine")
