"""What candlestick patterns share: bodies and shadows, measured against the bars before."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .pattern import Found, Pattern

if TYPE_CHECKING:
    from .._base.types import FloatArray

AVERAGED = 10


def back(x: FloatArray, bars: int) -> FloatArray:
    """Return the values of `bars` bars ago, NaN before the first."""
    if bars == 0:
        return x
    found = np.full(x.shape, np.nan)
    found[bars:] = x[: max(0, len(x) - bars)]
    return found


def usual(x: FloatArray) -> FloatArray:
    """Return the mean of the ten bars before."""
    found = np.full(x.shape, np.nan)
    if len(x) > AVERAGED:
        windows = np.lib.stride_tricks.sliding_window_view(x, AVERAGED)[:-1]
        found[AVERAGED:] = windows.mean(axis=1)
    return found


class Candles:
    """The candles `back` bars ago, all bars at once."""

    def __init__(self, *ohlc: FloatArray) -> None:
        self.ohlc: tuple[FloatArray, ...] = ohlc
        self.open: FloatArray = ohlc[0]
        self.high: FloatArray = ohlc[1]
        self.low: FloatArray = ohlc[2]
        self.close: FloatArray = ohlc[3]
        self.move: FloatArray = self.close - self.open
        self.body: FloatArray = np.abs(self.move)
        self.range: FloatArray = self.high - self.low
        self.top: FloatArray = np.maximum(self.open, self.close)
        self.bottom: FloatArray = np.minimum(self.open, self.close)
        self.upper: FloatArray = self.high - self.top
        self.lower: FloatArray = self.bottom - self.low

    def ago(self, bars: int) -> Candles:
        """Return the same candles, `bars` bars ago."""
        return Candles(*(back(x, bars) for x in self.ohlc))


class Candlestick(Pattern):
    """A pattern of one to three candles; it is known at the close of the last one."""

    candles: ClassVar[int] = 1

    def score(self, now: Candles, sign: int) -> FloatArray:
        """Return how clear the pattern in this direction is at every bar; 0 or NaN where it is not."""
        raise NotImplementedError

    directions: ClassVar[tuple[int, ...]] = (1, -1)

    def _search(
        self, first: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray
    ) -> list[Found]:
        found = []
        for direction in self.directions:
            # A falling pattern is a rising one upside down.
            flipped = (first, high, low, close) if direction >= 0 else (-first, -low, -high, -close)
            score = self.score(Candles(*flipped), direction)
            for i in np.flatnonzero(score > 0.0).tolist():
                confidence = float(min(1.0, score[i]))
                found.append(Found(i - self.candles + 1, i, i, direction, confidence))
        return found
