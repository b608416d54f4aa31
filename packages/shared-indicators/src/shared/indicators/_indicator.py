"""The one shape that all indicators have."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

import numpy as np

from ._blocks import Segment, Tail, run
from ._checks import finite
from ._engine import kernels
from ._expr import Map, Pick, Plan, Source, trace
from ._inputs import gather
from ._panel import Panel
from ._step import straight

if TYPE_CHECKING:
    from typing import Protocol, Self

    from numpy.typing import ArrayLike

    class SeriesLike(Protocol):
        """A pandas or polars series."""

        @property
        def name(self) -> Any:
            """Its name."""

        def to_numpy(self) -> Any:
            """Its values."""

    class FrameLike(Protocol):
        """A pandas or polars frame."""

        @property
        def columns(self) -> Any:
            """The names of its columns."""

        def to_numpy(self) -> Any:
            """Its values."""

    SeriesT = TypeVar("SeriesT", bound=SeriesLike)

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
BatchT = TypeVar("BatchT")
ValueT = TypeVar("ValueT")
TickT = TypeVar("TickT")


class Indicator(Generic[BatchT, ValueT, TickT]):
    """What all indicators share. Subclasses set their parameters and write their formula.

    An instance holds its parameters, which do not change, and the state of one stream. It can be
    pickled and copied at any moment.
    """

    group: ClassVar[str] = ""
    outputs: ClassVar[tuple[str, ...]] = ()
    inputs: ClassVar[tuple[str, ...]] = ()
    result: ClassVar[Any] = None
    native: ClassVar[str] = ""
    on_price: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Read the inputs off the formula."""
        super().__init_subclass__()
        if "formula" in cls.__dict__:
            # A loop belongs to its formula: another formula does not inherit it.
            cls.native = cls.__dict__.get("native", "")
            code = cls.formula.__code__
            cls.inputs = code.co_varnames[1 : code.co_argcount]

    def __init__(self) -> None:
        self._traced: Plan | None = None
        self._streams: list[Any] = []
        self._ended: Segment | Tail | None = None
        self._bars = 0
        self._warming: Any = None
        self._save: Any = None

    def formula(self, *inputs: Any, **named: Any) -> Any:
        """The outputs, as expressions of the inputs."""
        raise NotImplementedError

    @property
    def plan(self) -> Plan:
        """The formula with these parameters, as a graph."""
        if self._traced is None:
            self._traced = trace(self.formula, len(self.inputs))
        return self._traced

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name."""
        return {
            name: value for name, value in vars(self).items() if name[0] != "_" and name != "update"
        }

    @property
    def lookback(self) -> int:
        """How many bars pass before the first value."""
        return self.plan.lookback

    def calculate(self, *inputs: Any, axis: int = -1, **named: Any) -> Any:
        """Calculate whole series.

        Args:
            *inputs: The inputs in their order, or one frame with their names as columns. One
                dimension: a series. Two: a panel, symbols x bars. Anything that numpy makes numbers
                of, pandas and polars series. Never written to.
            axis: Where a panel has its bars.
            **named: The inputs by name.

        Returns:
            float64 of the shape of the inputs, NaN for the first `lookback` bars. Series come back as
            their own kind with index and name, the columns of a frame as series named as the output.
            A bar that is not finite makes the windows that hold it NaN; recursive indicators start
            afresh after it.

            After one series the stream stands at its end: `update` goes on from there. A panel
            leaves the stream as it was.

        Raises:
            TypeError: An input is missing or not numeric.
            ValueError: Wrong shape, unequal lengths.
        """
        given = gather(self.inputs, inputs, named, axis)
        plan = self.plan
        outputs = [np.empty(given.arrays[0].shape) for _ in plan.outputs]
        with np.errstate(all="ignore"):
            ended = self._run(plan, given.arrays, outputs)
        if given.single:
            self.reset()
            self._ended = ended
        found = [given.wrap(out, name) for out, name in zip(outputs, self.outputs, strict=True)]
        return found[0] if self.result is None else self.result(*found)

    def _run(self, plan: Plan, inputs: list[FloatArray], outputs: list[FloatArray]) -> Any:
        """Fill the outputs, through a loop of its own if there is one; what a stream resumes from."""
        chosen = kernels()
        inputs = [chosen.ready(x) for x in inputs]
        loop = chosen.LOOPS.get(self.native)
        if loop is None or inputs[0].shape[1] <= plan.lookback:
            return run(plan, chosen, inputs, outputs)
        fine = np.ones(len(inputs[0]), dtype=np.bool_)
        states = loop(tuple(self.parameters.values()), inputs, outputs, fine)
        ended: Segment | Tail | None = Tail(plan, inputs, states) if len(fine) == 1 else None
        if not fine.all():
            for row in np.flatnonzero(~fine):
                one = slice(row, row + 1)
                ended = run(plan, chosen, [x[one] for x in inputs], [out[one] for out in outputs])
        return ended

    def update(self, *values: float) -> Any:
        """Take the next bar of the stream, in constant time.

        Args:
            *values: One finite number an input, in their order.

        Returns:
            The indicator at this bar; NaN during the first `lookback` bars.

        Raises:
            TypeError: Not a number, or not one an input.
            ValueError: Not finite. The state is as it was.
        """
        # Once warm, the straight function takes this method's place on the instance; who took the
        # method before that still comes by here.
        straight_on = self.__dict__.get("update")
        if straight_on is not None:
            return straight_on(*values)
        if len(values) != len(self.inputs):
            msg = f"update takes {', '.join(self.inputs)}; got {len(values)} value(s)"
            raise TypeError(msg)
        bar = [finite(name, value) for name, value in zip(self.inputs, values, strict=True)]
        self._resume()
        if self._bars > self.lookback:
            self._go_straight()
            return self.update(*bar)
        if self._warming is None:
            self._warming, _ = straight(self.plan, self._streams, self, warm=True)
        found = self._warming(*bar)
        self._bars += 1
        if self._bars <= self.lookback:
            nothing = [np.nan] * len(self.outputs)
            return nothing[0] if self.result is None else self.result(*nothing)
        return found

    def reset(self) -> Self:
        """Forget the stream.

        Returns:
            The indicator itself.
        """
        self.__dict__.pop("update", None)
        self._streams, self._ended, self._bars = [], None, 0
        self._warming = self._save = None
        return self

    def panel(self, n_symbols: int) -> Panel[TickT]:
        """A stream of many symbols at once.

        Args:
            n_symbols: How many.

        Returns:
            A fresh stream, independent of this one, whose `update` takes arrays of one value a symbol.

        Raises:
            ValueError: Fewer than one.
        """
        return Panel(self, n_symbols)

    def _resume(self) -> None:
        """Make streams of what `calculate` left, or fresh ones."""
        if self._streams:
            return
        ended, self._ended = self._ended, None
        if ended is not None:
            self._streams, self._bars = ended.resume()
        else:
            self._streams = streams(self.plan, scalar=True)

    def _go_straight(self) -> None:
        self.__dict__["update"], self._save = straight(self.plan, self._streams, self, warm=False)

    def __getstate__(self) -> dict[str, Any]:
        self._resume()
        if self._save is not None:
            self._save()
        made = {"update", "_traced", "_warming", "_save"}
        return {k: v for k, v in self.__dict__.items() if k not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _traced=None, _warming=None, _save=None)

    def __copy__(self) -> Self:
        # Two copies must not share one stream.
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        parameters = ", ".join(f"{k}={v!r}" for k, v in self.parameters.items())
        return f"{type(self).__name__}({parameters})"


def streams(plan: Plan, *, scalar: bool) -> list[Any]:
    """Fresh streams for the nodes that have a state."""
    return [
        None if isinstance(node.op, Source | Map | Pick) else node.op.stream(scalar=scalar)
        for node in plan.nodes
    ]


class Single(Indicator["FloatArray", float, "FloatArray"]):
    """An indicator with one output."""

    if TYPE_CHECKING:

        @overload
        def calculate(self, *inputs: SeriesT, axis: int = -1, **named: SeriesT) -> SeriesT: ...
        @overload
        def calculate(self, *inputs: FrameLike, axis: int = -1) -> Any: ...
        @overload
        def calculate(
            self, *inputs: ArrayLike, axis: int = -1, **named: ArrayLike
        ) -> FloatArray: ...
        def calculate(self, *inputs: Any, axis: int = -1, **named: Any) -> Any:
            """Calculate whole series."""
            raise NotImplementedError

        def update(self, *values: float) -> float:
            """Take the next bar of the stream."""
            raise NotImplementedError


class Multiple(Indicator[BatchT, ValueT, TickT]):
    """An indicator with several outputs, as a named tuple."""

    if TYPE_CHECKING:

        def calculate(self, *inputs: Any, axis: int = -1, **named: Any) -> BatchT:
            """Calculate whole series."""
            raise NotImplementedError

        def update(self, *values: float) -> ValueT:
            """Take the next bar of the stream."""
            raise NotImplementedError
