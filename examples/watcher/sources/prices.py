"""Real daily price bars: the five stocks of the bokeh_sampledata package, 2000 to 2013."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..points import Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


class Bars(NamedTuple):
    """One symbol's daily bars: times in nanoseconds UTC, prices and volumes as float64."""

    symbol: str
    time: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def points(self) -> list[Point]:
        """Return the closing prices and volumes as points."""
        columns = {"close": self.close, "volume": self.volume}
        return [
            Point(f"price.{self.symbol}.{name}", int(time), float(value))
            for name, column in columns.items()
            for time, value in zip(self.time, column, strict=True)
        ]


def load() -> Iterator[Bars]:
    """Yield the bars of each symbol, adjusted for splits, oldest first."""
    from bokeh_sampledata import stocks

    for symbol in SYMBOLS:
        table = getattr(stocks, symbol)
        column = {
            name: np.asarray(table[name], dtype=np.float64)
            for name in ("open", "high", "low", "close", "volume", "adj_close")
        }
        # A split halves the raw price overnight; the adjusted close carries the true return.
        factor = column["adj_close"] / column["close"]
        days = np.asarray(table["date"], dtype="datetime64[ns]").astype(np.int64)
        order = np.argsort(days, kind="stable")
        prices = {name: (column[name] * factor)[order] for name in ("open", "high", "low", "close")}
        yield Bars(symbol, days[order], volume=column["volume"][order], **prices)
