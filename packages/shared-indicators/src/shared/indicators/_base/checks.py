"""The check that indicators add to those of core."""

from __future__ import annotations

from typing import Literal

from shared.core.checks import choice, refuse

Convention = Literal["talib", "tradingview"]


def convention_of(value: Convention) -> Convention:
    """Read whose first bars and middle line an indicator has."""
    return choice("convention", value, ("talib", "tradingview"))


def increasing(**named: int) -> None:
    """Refuse two numbers unless the first is smaller than the second."""
    (name, first), (other, second) = named.items()
    if first >= second:
        raise refuse(name, f"smaller than {other}={second}", first)
