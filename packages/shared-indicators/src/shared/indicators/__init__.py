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
    from ._library.bollingerbands import BollingerBands, BollingerBandsResult
    from ._library.ema import EMA
    from ._library.macd import MACD, MACDResult
    from ._library.rsi import RSI
    from ._library.sma import SMA

__all__ = [  # noqa: RUF022 - plain order
    "BollingerBands",
    "BollingerBandsResult",
    "EMA",
    "MACD",
    "MACDResult",
    "RSI",
    "SMA",
    "engine",
]

_ELSEWHERE = {"engine": "_engine"}


def __getattr__(name: str) -> Any:
    home = _ELSEWHERE.get(name)
    if home is None and not name.startswith("_"):
        home = f"_library.{name.removesuffix('Result').lower()}"
        if find_spec(f"{__name__}.{home}") is None:
            home = None
    found = None if home is None else getattr(import_module(f".{home}", __name__), name, None)
    if found is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
