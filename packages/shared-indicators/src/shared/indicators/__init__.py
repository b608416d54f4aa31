"""Technical indicators: batch, panel and streaming, and chart patterns.

Every name is loaded when it is first asked for: an indicator is a file of its own in `_library`, found
by its name.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._engine import engine
    from ._indicator import Indicator
    from ._library.accumulationdistribution import AccumulationDistribution
    from ._library.adx import ADX, ADXResult
    from ._library.aroon import Aroon, AroonResult
    from ._library.atr import ATR
    from ._library.awesomeoscillator import AwesomeOscillator
    from ._library.bollingerbands import BollingerBands, BollingerBandsResult
    from ._library.cci import CCI
    from ._library.chaikinmoneyflow import ChaikinMoneyFlow
    from ._library.chaikinoscillator import ChaikinOscillator
    from ._library.dema import DEMA
    from ._library.donchianchannels import DonchianChannels, DonchianChannelsResult
    from ._library.ema import EMA
    from ._library.hma import HMA
    from ._library.ichimoku import Ichimoku, IchimokuResult
    from ._library.kama import KAMA
    from ._library.keltnerchannels import KeltnerChannels, KeltnerChannelsResult
    from ._library.macd import MACD, MACDResult
    from ._library.max import Max
    from ._library.mfi import MFI
    from ._library.min import Min
    from ._library.minusdi import MinusDI
    from ._library.momentum import Momentum
    from ._library.natr import NATR
    from ._library.obv import OBV
    from ._library.parabolicsar import ParabolicSAR
    from ._library.plusdi import PlusDI
    from ._library.ppo import PPO
    from ._library.pvt import PVT
    from ._library.rma import RMA
    from ._library.roc import ROC
    from ._library.rsi import RSI
    from ._library.sma import SMA
    from ._library.stddev import StdDev
    from ._library.stochastic import Stochastic, StochasticResult
    from ._library.stochrsi import StochRSI, StochRSIResult
    from ._library.supertrend import SuperTrend, SuperTrendResult
    from ._library.tema import TEMA
    from ._library.trix import TRIX
    from ._library.truerange import TrueRange
    from ._library.tsi import TSI
    from ._library.ultimateoscillator import UltimateOscillator
    from ._library.vortex import Vortex, VortexResult
    from ._library.vwap import VWAP
    from ._library.vwma import VWMA
    from ._library.williamsr import WilliamsR
    from ._library.wma import WMA
    from ._panel import Panel
    from ._pattern import Pattern, PatternResult
    from ._patterns.doji import Doji
    from ._patterns.doublebottom import DoubleBottom
    from ._patterns.doubletop import DoubleTop
    from ._patterns.engulfing import Engulfing
    from ._patterns.eveningstar import EveningStar
    from ._patterns.hammer import Hammer
    from ._patterns.harami import Harami
    from ._patterns.headandshoulders import HeadAndShoulders
    from ._patterns.inverseheadandshoulders import InverseHeadAndShoulders
    from ._patterns.morningstar import MorningStar
    from ._patterns.swingpivots import SwingPivots
    from ._patterns.threecrows import ThreeCrows
    from ._patterns.threesoldiers import ThreeSoldiers
    from ._plot import plot
    from ._registry import Parameter, Specification, available, available_patterns

__all__ = [  # noqa: RUF022 - plain order
    "ADX",
    "ADXResult",
    "ATR",
    "AccumulationDistribution",
    "Aroon",
    "AroonResult",
    "AwesomeOscillator",
    "BollingerBands",
    "BollingerBandsResult",
    "CCI",
    "ChaikinMoneyFlow",
    "ChaikinOscillator",
    "DEMA",
    "Doji",
    "DonchianChannels",
    "DonchianChannelsResult",
    "DoubleBottom",
    "DoubleTop",
    "EMA",
    "Engulfing",
    "EveningStar",
    "HMA",
    "Hammer",
    "Harami",
    "HeadAndShoulders",
    "Ichimoku",
    "IchimokuResult",
    "Indicator",
    "InverseHeadAndShoulders",
    "KAMA",
    "KeltnerChannels",
    "KeltnerChannelsResult",
    "MACD",
    "MACDResult",
    "MFI",
    "Max",
    "Min",
    "MinusDI",
    "Momentum",
    "MorningStar",
    "NATR",
    "OBV",
    "PPO",
    "PVT",
    "Panel",
    "ParabolicSAR",
    "Parameter",
    "Pattern",
    "PatternResult",
    "PlusDI",
    "RMA",
    "ROC",
    "RSI",
    "SMA",
    "Specification",
    "StdDev",
    "StochRSI",
    "StochRSIResult",
    "Stochastic",
    "StochasticResult",
    "SuperTrend",
    "SuperTrendResult",
    "SwingPivots",
    "TEMA",
    "TRIX",
    "TSI",
    "ThreeCrows",
    "ThreeSoldiers",
    "TrueRange",
    "UltimateOscillator",
    "VWAP",
    "VWMA",
    "Vortex",
    "VortexResult",
    "WMA",
    "WilliamsR",
    "available",
    "available_patterns",
    "engine",
    "plot",
]

_HOMES = {
    "Indicator": "_indicator",
    "Panel": "_panel",
    "Parameter": "_registry",
    "Pattern": "_pattern",
    "PatternResult": "_pattern",
    "Specification": "_registry",
    "available": "_registry",
    "available_patterns": "_registry",
    "engine": "_engine",
    "plot": "_plot",
}


def __getattr__(name: str) -> Any:
    file = name.removesuffix("Result").lower()
    homes = [_HOMES[name]] if name in _HOMES else [f"_library.{file}", f"_patterns.{file}"]
    for home in homes:
        if not name.startswith("_") and find_spec(f"{__name__}.{home}") is not None:
            found = getattr(import_module(f".{home}", __name__), name, None)
            if found is not None:
                globals()[name] = found
                return found
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return __all__
