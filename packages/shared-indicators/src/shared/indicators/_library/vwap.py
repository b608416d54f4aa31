"""Volume weighted average price."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shared.core.checks import choice

from .._base.inputs import Given, gather, is_frame
from .._base.sessions import ANCHORS, Anchor, index_of, sessions_of
from .._formula.words import machine, pick, ratio, running_total, typical
from .._indicator import Single

if TYPE_CHECKING:
    from typing import Self

    from .._base.types import FloatArray
    from .._formula.expr import Expr
    from .._run.panel import Panel


class VWAP(Single):
    """Volume weighted average price of the typical price, since the first bar or the session's.

    NaN while nothing was traded. With an anchor, `calculate` finds the sessions in the index of
    times of a pandas object or in `session=`, one label or time per bar, and `update` takes the
    bar's label or time after the volume.

    Source: the sum of typical price times volume over the sum of volume (StockCharts, VWAP);
    without an anchor equal to TA-Lib VWAP.

    Args:
        anchor: Where to start again: `"D"`, `"W"`, `"M"`, `"Q"` or `"Y"`, at a new day, week (on
            Monday), month, quarter or year of the times as their zone's clocks show them;
            `"session"`, wherever the label changes. If omitted, never.

    Example:
        >>> from shared.indicators import VWAP
        >>> VWAP().calculate([2.0, 4.0], [1.0, 2.0], [1.5, 3.0], [1.0, 1.0])
        array([1.5 , 2.25])
        >>> bars = [2.0, 4.0, 6.0], [1.0, 2.0, 6.0], [1.5, 3.0, 6.0], [1.0, 1.0, 2.0]
        >>> VWAP("session").calculate(*bars, session=["Mon", "Mon", "Tue"])
        array([1.5 , 2.25, 6.  ])
    """

    group: ClassVar[str] = "volume"
    on_price: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("vwap",)

    def __init__(self, anchor: Anchor | None = None) -> None:
        super().__init__()
        self.anchor: Anchor | None = (
            None if anchor is None else choice("anchor", anchor, ANCHORS)  # type: ignore[arg-type]
        )
        self._sessions = None if anchor is None else _SessionVWAP(anchor)

    def formula(self, high: Expr, low: Expr, close: Expr, volume: Expr) -> Expr:
        """Divide money by volume, both since the start."""
        money = running_total(typical(high, low, close) * volume)
        return ratio(money, running_total(volume), nan)

    if not TYPE_CHECKING:  # the types are those of every indicator with one output

        def calculate(self, *inputs: Any, axis: int = -1, **named: Any) -> Any:
            """Calculate whole series; see the class for sessions."""
            if self._sessions is not None:
                return self._sessions.calculate(*inputs, axis=axis, **named)
            return super().calculate(*inputs, axis=axis, **named)

        def update(self, *values: Any) -> float:
            """Take the next bar of the stream; see the class for sessions."""
            if self._sessions is not None:
                return self._sessions.tick(*values)
            return super().update(*values)

    def reset(self) -> Self:
        """Forget the stream."""
        if self._sessions is not None:
            self._sessions.reset()
        return super().reset()

    def panel(self, n_symbols: int) -> Panel[FloatArray]:
        """Start a stream of many symbols; with an anchor, the last input is a number per session."""
        return (
            super().panel(n_symbols) if self._sessions is None else self._sessions.panel(n_symbols)
        )


class _SessionVWAP(Single):
    """The same since the session's first bar."""

    outputs: ClassVar[tuple[str, ...]] = VWAP.outputs

    def __init__(self, anchor: Anchor) -> None:
        super().__init__()
        self.anchor: Anchor = anchor
        self._label: Any = None
        self._number = 0.0
        self._last: tuple[Any, float] | None = None

    def formula(self, high: Expr, low: Expr, close: Expr, volume: Expr, session: Expr) -> Expr:
        """Divide money by volume, both since the session began."""
        money = typical(high, low, close) * volume
        return pick(machine("anchored", (money, volume, session)), 0)

    def _gather(self, inputs: tuple[Any, ...], named: dict[str, Any], axis: int) -> Given:
        """Return the other inputs and the numbers of the sessions."""
        labels = named.pop("session", None)
        if len(inputs) == len(self.inputs) and labels is None:
            *inputs, labels = inputs  # type: ignore[assignment]
        given = gather(self.inputs[:-1], inputs, named, axis)
        if labels is None:
            indexes = (index_of(value) for value in (*inputs, *named.values()))
            labels = next((index for index in indexes if index is not None), None)
        if labels is None:
            where = "frame" if any(map(is_frame, inputs)) else "input"
            raise TypeError(f"input 'session' is missing: no {where} has an index of times")
        marks = sessions_of(labels, self.anchor)
        shape = given.arrays[0].shape
        if len(marks) != shape[1]:
            raise ValueError(f"session must be as long as high, {shape[1]} bars, not {len(marks)}")
        numbers = np.zeros(shape[1])
        numbers[1:] = np.cumsum(marks[1:] != marks[:-1])
        given.arrays.append(np.ascontiguousarray(np.broadcast_to(numbers, shape)))
        self._last = (marks[-1], float(numbers[-1])) if given.single and len(marks) else None
        return given

    if not TYPE_CHECKING:

        def calculate(self, *inputs: Any, axis: int = -1, **named: Any) -> Any:
            """Calculate whole series; the stream continues in the last session."""
            found = super().calculate(*inputs, axis=axis, **named)
            if self._last is not None:
                self._label, self._number = self._last
            return found

    def tick(self, *values: Any) -> float:
        """Take a bar and its label."""
        if len(values) != len(self.inputs):
            raise TypeError(f"update takes {', '.join(self.inputs)}; got {len(values)} value(s)")
        *bar, label = values
        (mark,) = sessions_of([label], self.anchor)
        number = self._number + (self._label is not None and bool(mark != self._label))
        found: float = self.update(*bar, number)
        self._label, self._number = mark, number
        return found

    def reset(self) -> Self:
        """Forget the stream and the session."""
        self._label, self._number = None, 0.0
        return super().reset()
