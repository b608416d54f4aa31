"""Buy and sell signals on price bars: RSI, MACD and Bollinger bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shared.indicators import MACD, RSI, BollingerBands

from .ledger import Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shared.indicators import BollingerBandsResult

    from .sources.prices import Bars


def find(bars: Bars) -> tuple[list[Signal], BollingerBandsResult[NDArray[np.float64]]]:
    """Return the signals of one symbol, oldest first, and its bands for the plot.

    A signal stands at the bar at which its rule became true; the bar before is looked at,
    never the one after. Before an indicator's first value its rule is silent (NaN compares false).
    """
    rsi = RSI(14).calculate(bars.close)
    histogram = MACD(12, 26, 9).calculate(bars.close).histogram
    bands = BollingerBands(20, 2).calculate(bars.close)
    rules = {
        ("rsi", "buy"): _enters(rsi < 30, rsi),
        ("rsi", "sell"): _enters(rsi > 70, rsi),
        ("macd", "buy"): _enters(histogram > 0, histogram),
        ("macd", "sell"): _enters(histogram < 0, histogram),
        ("bollinger", "buy"): _enters(bars.close < bands.lower, bands.lower),
        ("bollinger", "sell"): _enters(bars.close > bands.upper, bands.upper),
    }
    series = f"price.{bars.symbol}.close"
    found = [
        Signal(series, int(bars.time[at]), kind, side, float(bars.close[at]))
        for (kind, side), entered in rules.items()
        for at in np.flatnonzero(entered)
    ]
    return sorted(found, key=lambda signal: signal.time), bands


def _enters(holds: NDArray[np.bool_], indicator: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell where a rule holds that did not hold at the bar before, when that bar had a value."""
    entered = np.zeros(len(holds), dtype=np.bool_)
    entered[1:] = holds[1:] & ~holds[:-1] & np.isfinite(indicator[:-1])
    return entered
