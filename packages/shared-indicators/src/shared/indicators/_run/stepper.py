"""The stream of one indicator, or of many symbols: warming up, then one straight function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .step import straight, streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._formula.expr import Plan

    class Ended(Protocol):
        """What a calculation left at the end of a series."""

        def resume(self) -> tuple[list[Any], int]:
            """Return streams in its state, and how many bars they saw."""
            raise NotImplementedError


class Stepper:
    """Takes one bar after another. Can be pickled and copied at any moment.

    Args:
        plan: The formula.
        names: The inputs.
        result: The named tuple of the outputs; None for a single output.
        symbols: How many symbols; None for a stream on floats.
        ended: Where to continue from; None for the beginning.

    Attributes:
        straight: The function of one bar, once warm; until then None.
    """

    def __init__(
        self,
        plan: Plan,
        names: tuple[str, ...],
        result: Any,
        *,
        symbols: int | None = None,
        ended: Ended | None = None,
    ) -> None:
        self._plan, self._names, self._result = plan, names, result
        self._symbols = symbols
        self._bars = 0
        if ended is not None:
            self._streams, self._bars = ended.resume()
        else:
            self._streams = streams(plan, scalar=symbols is None)
        self._forget()

    def _forget(self) -> None:
        self.straight: Callable[..., Any] | None = None
        self._save: Callable[[], None] | None = None
        self._warming: Callable[..., Any] | None = None

    def step(self, *bar: Any) -> Any:
        """Take a bar that has been checked; NaN before the first value."""
        lookback = self._plan.lookback
        if self._bars > lookback:
            if self.straight is None:
                self.straight, self._save = self._function(warm=False)
            return self.straight(*bar)
        if self._warming is None:
            self._warming, _ = self._function(warm=True)
        found = self._warming(*bar)
        self._bars += 1
        return found if self._bars > lookback else self._nothing()

    def _function(self, *, warm: bool) -> tuple[Callable[..., Any], Callable[[], None]]:
        scalar = self._symbols is None
        return straight(
            self._plan, self._names, self._streams, self._result, scalar=scalar, warm=warm
        )

    def _nothing(self) -> Any:
        count = self._symbols
        blank = [np.nan if count is None else np.full(count, np.nan) for _ in self._plan.outputs]
        return blank[0] if self._result is None else self._result(*blank)

    def __getstate__(self) -> dict[str, Any]:
        if self._save is not None:
            self._save()
        made = {"straight", "_save", "_warming"}
        return {name: value for name, value in vars(self).items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()
