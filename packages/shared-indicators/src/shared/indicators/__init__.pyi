from ._indicator import Indicator
from ._kernels.engine import engine
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
from ._patterns.pattern import Pattern, PatternResult
from ._patterns.swingpivots import SwingPivots
from ._patterns.threecrows import ThreeCrows
from ._patterns.threesoldiers import ThreeSoldiers
from ._plot import plot
from ._registry import Parameter, Specification, available, available_patterns
from ._run.panel import Panel

__all__ = [
    "ADX",
    "ATR",
    "CCI",
    "DEMA",
    "EMA",
    "HMA",
    "KAMA",
    "MACD",
    "MFI",
    "NATR",
    "OBV",
    "PPO",
    "PVT",
    "RMA",
    "ROC",
    "RSI",
    "SMA",
    "TEMA",
    "TRIX",
    "TSI",
    "VWAP",
    "VWMA",
    "WMA",
    "ADXResult",
    "AccumulationDistribution",
    "Aroon",
    "AroonResult",
    "AwesomeOscillator",
    "BollingerBands",
    "BollingerBandsResult",
    "ChaikinMoneyFlow",
    "ChaikinOscillator",
    "Doji",
    "DonchianChannels",
    "DonchianChannelsResult",
    "DoubleBottom",
    "DoubleTop",
    "Engulfing",
    "EveningStar",
    "Hammer",
    "Harami",
    "HeadAndShoulders",
    "Ichimoku",
    "IchimokuResult",
    "Indicator",
    "InverseHeadAndShoulders",
    "KeltnerChannels",
    "KeltnerChannelsResult",
    "MACDResult",
    "Max",
    "Min",
    "MinusDI",
    "Momentum",
    "MorningStar",
    "Panel",
    "ParabolicSAR",
    "Parameter",
    "Pattern",
    "PatternResult",
    "PlusDI",
    "Specification",
    "StdDev",
    "StochRSI",
    "StochRSIResult",
    "Stochastic",
    "StochasticResult",
    "SuperTrend",
    "SuperTrendResult",
    "SwingPivots",
    "ThreeCrows",
    "ThreeSoldiers",
    "TrueRange",
    "UltimateOscillator",
    "Vortex",
    "VortexResult",
    "WilliamsR",
    "available",
    "available_patterns",
    "engine",
    "plot",
]
