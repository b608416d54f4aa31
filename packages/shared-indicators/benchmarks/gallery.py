"""Make the pictures of docs/guides/indicators.md from real bars."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from bokeh_sampledata import stocks

from shared import indicators as own

TARGET = Path(__file__).parents[3] / "docs" / "guides" / "img"


def frame(stock, last):
    columns = {
        k: np.array(stock[k][-last:], dtype=float)
        for k in ("open", "high", "low", "close", "volume")
    }
    return pd.DataFrame(columns, index=pd.to_datetime(stock["date"][-last:]))


CHARTS = {
    "overview": ([own.BollingerBands(), own.RSI(), own.MACD(), own.OBV()], [own.SwingPivots(5, 5)]),
    "overlap": (
        [own.SMA(20), own.EMA(20), own.HMA(20), own.KAMA(20), own.TEMA(20), own.VWMA(20)],
        [],
    ),
    "channels": ([own.KeltnerChannels(), own.ParabolicSAR(), own.SuperTrend()], []),
    "ichimoku": ([own.Ichimoku()], []),
    "momentum": (
        [own.Stochastic(), own.StochRSI(), own.CCI(), own.WilliamsR(), own.MFI(), own.TSI()],
        [],
    ),
    "volume": (
        [
            own.VWAP(),
            own.OBV(),
            own.AccumulationDistribution(),
            own.ChaikinOscillator(),
            own.ChaikinMoneyFlow(),
            own.PVT(),
        ],
        [],
    ),
    "trend": ([own.ADX(), own.Aroon(), own.Vortex(), own.TRIX()], []),
    "candles": (
        [],
        [
            own.Doji(),
            own.Hammer(),
            own.Engulfing(),
            own.Harami(),
            own.MorningStar(),
            own.EveningStar(),
            own.ThreeSoldiers(),
            own.ThreeCrows(),
        ],
    ),
    "reversals": (
        [],
        [
            own.DoubleTop(),
            own.DoubleBottom(),
            own.HeadAndShoulders(),
            own.InverseHeadAndShoulders(),
        ],
    ),
}


def main():
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, (indicators, patterns) in CHARTS.items():
        bars = frame(stocks.AAPL, 500 if name == "reversals" else 160)
        figure = own.plot(bars, indicators, patterns, title=f"AAPL: {name}")
        figure.savefig(TARGET / f"indicators-{name}.png", dpi=80)
        print(TARGET / f"indicators-{name}.png", file=sys.stderr)


if __name__ == "__main__":
    main()
