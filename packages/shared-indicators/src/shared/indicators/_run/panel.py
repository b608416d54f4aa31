"""One tick of many symbols at once."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from shared.core.checks import refuse, whole

from .._base.inputs import numeric
from .stepper import Stepper

if TYPE_CHECKING:
    from .._formula.expr import Plan

TickT = TypeVar("TickT")


class Panel(Generic[TickT]):
    """A stream of `n_symbols` symbols; made by `Indicator.panel`. Can be pickled and copied."""

    def __init__(self, plan: Plan, names: tuple[str, ...], result: Any, n_symbols: int) -> None:
        self.n_symbols: int = whole("n_symbols", n_symbols)
        self._names = names
        self._stepper = Stepper(plan, names, result, symbols=self.n_symbols)

    def update(self, *values: Any) -> TickT:
        """Take the next bar of all symbols.

        Args:
            *values: For every input, in their order, an array of one finite number per symbol.

        Returns:
            An array of one value per symbol, or a named tuple of them if there are several outputs;
            NaN during the first `lookback` bars.

        Raises:
            TypeError: Not numbers, or not one array per input.
            ValueError: Wrong length, or a value that is not finite. The state is unchanged.
        """
        names = self._names
        if len(values) != len(names):
            raise TypeError(f"update takes {', '.join(names)}; got {len(values)} value(s)")
        # Copies: the caller may use its arrays again, and the state holds on to these.
        ticks = [np.array(numeric(name, v)) for name, v in zip(names, values, strict=True)]
        for name, tick in zip(names, ticks, strict=True):
            if tick.shape != (self.n_symbols,):
                raise refuse(name, f"an array of shape ({self.n_symbols},)", tick)
            finite = np.isfinite(tick)
            if not finite.all():
                symbol = int(finite.argmin())
                raise refuse(f"{name}[{symbol}]", "a finite number", float(tick[symbol]))
        with np.errstate(all="ignore"):
            found: TickT = self._stepper.step(*ticks)
        return found

    def __copy__(self) -> Panel[TickT]:
        return copy.deepcopy(self)
