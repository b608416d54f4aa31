"""The one shape that all indicators have."""

from __future__ import annotations

import copy
from inspect import Parameter, Signature
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

import numpy as np

from shared.core.checks import number

from ._base.inputs import gather
from ._formula.expr import Plan, trace
from ._kernels.engine import kernels
from ._run.blocks import Segment, Tail, run
from ._run.panel import Panel
from ._run.stepper import Stepper

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

    from ._base.inputs import Given
    from ._base.types import FloatArray, FrameLike, SeriesLike

    SeriesT = TypeVar("SeriesT", bound=SeriesLike)

BatchT = TypeVar("BatchT")
ValueT = TypeVar("ValueT")
TickT = TypeVar("TickT")

_LIBRARY = f"{__name__.rpartition('.')[0]}._library."


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
            # A compiled loop belongs to our formula of that name: no other formula inherits it.
            cls.native = cls.__name__ if cls.__module__.startswith(_LIBRARY) else ""
            code = cls.formula.__code__
            cls.inputs = code.co_varnames[1 : code.co_argcount]
            _sign(cls)

    def __init__(self) -> None:
        self._traced: Plan | None = None
        self._ended: Segment | Tail | None = None
        self._stepper: Stepper | None = None

    def formula(self, *inputs: Any, **named: Any) -> Any:
        """Return the outputs, as expressions of the inputs."""
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
        # `update` is there once the stream is warm.
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
                dimension: a series. Two: a panel, symbols x bars. Anything that numpy can turn into
                numbers, and pandas and polars series. They are never written to.
            axis: The axis along which a panel has its bars.
            **named: The inputs by name.

        Returns:
            float64 of the shape of the inputs, NaN for the first `lookback` bars. Series come back as
            their own kind with index and name, the columns of a frame as series named after the output.
            A bar that is not finite makes the windows that hold it NaN; recursive indicators start
            again after it.

            After one series the stream stands at its end: `update` continues from there. A panel
            leaves the stream unchanged.

        Raises:
            TypeError: An input is missing or not numeric.
            ValueError: Wrong shape, unequal lengths.
        """
        given = self._gather(inputs, named, axis)
        plan = self.plan
        outputs = [np.empty(given.arrays[0].shape) for _ in plan.outputs]
        with np.errstate(all="ignore"):
            ended = self._run(plan, given.arrays, outputs)
        if given.single:
            self.reset()
            self._ended = ended
        found = [given.wrap(out, name) for out, name in zip(outputs, self.outputs, strict=True)]
        return found[0] if self.result is None else self.result(*found)

    def _gather(self, inputs: tuple[Any, ...], named: dict[str, Any], axis: int) -> Given:
        return gather(self.inputs, inputs, named, axis)

    def _run(self, plan: Plan, inputs: list[FloatArray], outputs: list[FloatArray]) -> Any:
        """Fill the outputs, by a compiled loop if there is one; return what a stream resumes from."""
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
            *values: One finite number per input, in their order.

        Returns:
            The indicator at this bar; NaN during the first `lookback` bars.

        Raises:
            TypeError: Not a number, or not one per input.
            ValueError: Not finite. The state is unchanged.
        """
        # Once warm, the straight function takes this method's place on the instance: a call of it by
        # this method would cost an EMA half as much again. A method that was bound before that still
        # comes by here.
        straight = self.__dict__.get("update")
        if straight is not None:
            return straight(*values)
        if len(values) != len(self.inputs):
            raise TypeError(f"update takes {', '.join(self.inputs)}; got {len(values)} value(s)")
        bar = [number(name, value) for name, value in zip(self.inputs, values, strict=True)]
        stepper = self._stream()
        found = stepper.step(*bar)
        if stepper.straight is not None:
            self.__dict__["update"] = stepper.straight
        return found

    def reset(self) -> Self:
        """Forget the stream.

        Returns:
            The indicator itself.
        """
        self.__dict__.pop("update", None)
        self._stepper = self._ended = None
        return self

    def panel(self, n_symbols: int) -> Panel[TickT]:
        """Start a stream of many symbols at once.

        Args:
            n_symbols: The number of symbols.

        Returns:
            A new stream, independent of this one, whose `update` takes arrays of one value per symbol.

        Raises:
            ValueError: Fewer than one.
        """
        return Panel(self.plan, self.inputs, self.result, n_symbols)

    def _stream(self) -> Stepper:
        """Return the stream: as it is, from where `calculate` ended, or from the beginning."""
        if self._stepper is None:
            self._stepper = Stepper(self.plan, self.inputs, self.result, ended=self._ended)
            self._ended = None
        return self._stepper

    def __getstate__(self) -> dict[str, Any]:
        self._stream()
        made = {"update", "_traced"}
        return {name: value for name, value in vars(self).items() if name not in made}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _traced=None)

    def __copy__(self) -> Self:
        # Two copies must not share one stream.
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        parameters = ", ".join(f"{k}={v!r}" for k, v in self.parameters.items())
        return f"{type(self).__name__}({parameters})"


def _sign(cls: Any) -> None:
    """Let `help` and editors that look at run time show the inputs as the parameters of the methods."""
    for name in ("calculate", "update"):
        method = getattr(cls, name)
        if name in cls.__dict__ or not isinstance(method, FunctionType):
            continue
        own: Any = FunctionType(
            method.__code__, method.__globals__, name, method.__defaults__, method.__closure__
        )
        own.__kwdefaults__, own.__doc__ = method.__kwdefaults__, method.__doc__
        own.__module__, own.__qualname__ = method.__module__, method.__qualname__
        kind = Parameter.POSITIONAL_OR_KEYWORD if name == "calculate" else Parameter.POSITIONAL_ONLY
        shown = [Parameter("self", kind), *(Parameter(one, kind) for one in cls.inputs)]
        if name == "calculate":
            shown.append(Parameter("axis", Parameter.KEYWORD_ONLY, default=-1))
        own.__signature__ = Signature(shown)
        setattr(cls, name, own)


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
