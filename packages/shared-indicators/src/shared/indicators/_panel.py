"""One tick of many symbols at once."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from ._checks import whole
from ._inputs import numeric
from ._step import straight

if TYPE_CHECKING:
    from ._indicator import Indicator

TickT = TypeVar("TickT")


class Panel(Generic[TickT]):
    """A stream of `n_symbols` symbols; made by `Indicator.panel`. Can be pickled and copied."""

    def __init__(self, indicator: Indicator[Any, Any, TickT], n_symbols: int) -> None:
        from ._indicator import streams

        self.n_symbols: int = whole("n_symbols", n_symbols)
        self._indicator = copy.deepcopy(indicator).reset()
        self._streams = streams(self._indicator.plan, scalar=False)
        self._bars = 0
        self._step: Any = None

    def update(self, *values: Any) -> TickT:
        """Take the next bar of all symbols.

        Args:
            *values: An array of one finite number a symbol for every input, in their order.

        Returns:
            An array of one value a symbol (a named tuple of them if there are several outputs); NaN
            during the first `lookback` bars.

        Raises:
            TypeError: Not numbers, or not one array an input.
            ValueError: Wrong length, or a value that is not finite. The state is as it was.
        """
        names = self._indicator.inputs
        if len(values) != len(names):
            msg = f"update takes {', '.join(names)}; got {len(values)} value(s)"
            raise TypeError(msg)
        # Copies: the caller may use his arrays again, and the state holds on to these.
        ticks = [np.array(numeric(name, v)) for name, v in zip(names, values, strict=True)]
        for name, tick in zip(names, ticks, strict=True):
            if tick.shape != (self.n_symbols,):
                msg = f"{name} must have shape ({self.n_symbols},), got {tick.shape}"
                raise ValueError(msg)
            if not np.isfinite(tick).all():
                msg = f"{name} must be finite, symbol {int(np.isfinite(tick).argmin())} is not; the state is as it was"
                raise ValueError(msg)
        with np.errstate(all="ignore"):
            found: TickT = self._advance(ticks)
        return found

    def _advance(self, ticks: list[Any]) -> Any:
        indicator = self._indicator
        lookback = indicator.lookback
        warm = self._bars <= lookback
        if warm or self._step is None:
            self._step, _ = straight(
                indicator.plan, self._streams, indicator, warm=warm, scalar=False
            )
        found = self._step(*ticks)
        self._bars += warm
        if self._bars <= lookback:
            nothing = [np.full(self.n_symbols, np.nan) for _ in indicator.outputs]
            return nothing[0] if indicator.result is None else indicator.result(*nothing)
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_step": None}

    def __copy__(self) -> Panel[TickT]:
        return copy.deepcopy(self)
