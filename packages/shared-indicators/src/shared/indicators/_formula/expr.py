"""The formula of an indicator as a graph.

An indicator writes its formula once, on `Expr` objects. The resulting graph is run in four
ways: over blocks of bars (numpy or numba), over many rows at once, one value at a time on Python
floats, and one tick of many symbols at a time on arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .writer import Writer


class Stream(Protocol):
    """The running state of one operation, on floats or on arrays of one value per symbol."""

    @property
    def step(self) -> Callable[..., Any]:
        """The function that takes the next value and returns None until it has seen enough."""
        ...


class Runner(Protocol):
    """The running state of one operation over blocks of bars: 2-D arrays, rows x bars."""

    @property
    def feed(self) -> Callable[..., Any]:
        """The function that takes the next block; its answer is shorter while warming up."""
        ...

    def resume(self) -> Stream:
        """Return the same state as a stream on floats, for one row."""
        ...


class Op:
    """One operation. Subclasses are frozen dataclasses: equal parameters make equal operations."""

    has_state: ClassVar[bool] = True

    @property
    def lookback(self) -> int:
        """How many inputs pass before the first output."""
        return 0

    def inline(self, *, scalar: bool) -> tuple[str, ...]:  # noqa: ARG002 - see the operations
        """Return a warm step as lines of text, on a stream {s}, inputs {x0}, {x1} .. and an output {v}.

        {x} is the first input; an operation with several outputs has {v}_0, {v}_1 .. A call costs
        more than the work, so what can be is written into the straight function.
        """
        return ()

    def emit(self, writer: Writer, place: int, args: list[str]) -> str:
        """Write the step of node `place` and return the text by which others read its value."""
        lines = () if writer.warm else self.inline(scalar=writer.scalar)
        if lines:
            return writer.write(place, lines, args)
        return writer.assign(place, f"{writer.hold(place)}({', '.join(args)})", args)

    @property
    def memory(self) -> int:
        """How many inputs can still be felt in an output."""
        return self.lookback

    @property
    def states(self) -> int:
        """How many numbers are the state of a recursion, which the stream's `stand` takes."""
        return 0

    def stream(self, *, scalar: bool) -> Stream:
        """Make a new stream, on floats or on arrays."""
        raise NotImplementedError

    def runner(self, kernels: Any) -> Runner:
        """Make a new runner on these kernels (numpy or numba)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Source(Op):
    """The i-th input of the indicator."""

    index: int
    has_state: ClassVar[bool] = False


@dataclass(frozen=True)
class Map(Op):
    """An elementwise operation without state, as text for floats and text for arrays."""

    scalar: str
    array: str = ""
    has_state: ClassVar[bool] = False

    @property
    def array_text(self) -> str:
        """The text for arrays; the scalar text if both are the same."""
        return self.array or self.scalar

    def emit(self, writer: Writer, place: int, args: list[str]) -> str:
        """Write the operation, or return its text if only one place reads it."""
        text = (self.scalar if writer.scalar else self.array_text).format(*args)
        return f"({text})" if place in writer.read_once else writer.assign(place, text, args)


@dataclass(frozen=True)
class Pick(Op):
    """One of several outputs of an operation."""

    index: int
    has_state: ClassVar[bool] = False

    def emit(self, writer: Writer, place: int, args: list[str]) -> str:
        """Name the output: a separate variable in the warm function on floats."""
        apart = writer.scalar and not writer.warm
        text = f"{args[0]}_{self.index}" if apart else f"{args[0]}[{self.index}]"
        return writer.assign(place, text, args)


class Expr:
    """A node of the graph: an operation and what it is applied to."""

    __slots__ = ("args", "offset", "op")

    def __init__(self, op: Op, *args: Expr, offset: int | None = None) -> None:
        self.op: Op = op
        self.args: tuple[Expr, ...] = args
        before = max((arg.offset for arg in args), default=0)
        self.offset: int = before + op.lookback if offset is None else offset

    def _binary(self, other: Expr | float, text: str, swapped: str | None = None) -> Expr:
        if isinstance(other, Expr):
            return Expr(Map(text), self, other)
        return Expr(Map((swapped or text).replace("{1}", repr(float(other)))), self)

    def __add__(self, other: Expr | float) -> Expr:
        return self._binary(other, "({0} + {1})")

    def __radd__(self, other: float) -> Expr:
        return self + other

    def __sub__(self, other: Expr | float) -> Expr:
        return self._binary(other, "({0} - {1})")

    def __rsub__(self, other: float) -> Expr:
        return self._binary(other, "({1} - {0})")

    def __mul__(self, other: Expr | float) -> Expr:
        return self._binary(other, "({0} * {1})")

    def __rmul__(self, other: float) -> Expr:
        return self * other

    def __truediv__(self, other: float) -> Expr:
        """Divide by a constant. For a divisor that may be zero, use `ratio`."""
        return self._binary(other, "({0} / {1})")

    def __neg__(self) -> Expr:
        return Expr(Map("(-{0})"), self)

    def __gt__(self, other: Expr | float) -> Expr:
        return self._binary(other, "({0} > {1})")

    def __lt__(self, other: Expr | float) -> Expr:
        return self._binary(other, "({0} < {1})")

    def __ge__(self, other: Expr | float) -> Expr:
        return self._binary(other, "({0} >= {1})")

    def __le__(self, other: Expr | float) -> Expr:
        return self._binary(other, "({0} <= {1})")


@dataclass(frozen=True)
class Node:
    """A node of a plan: equal subformulas are one node."""

    op: Op
    args: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class Plan:
    """The nodes of a formula, each after what it needs, and which of them are the outputs."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    lookback: int
    inputs: int

    @cached_property
    def memory(self) -> int:
        """How many bars are enough to be in the state that all bars lead to."""
        return self._felt(lambda op: op.memory)

    @cached_property
    def window(self) -> int:
        """The same, where the states of the recursions are known."""
        return self._felt(lambda op: op.lookback if op.states else op.memory)

    def _felt(self, own: Callable[[Op], int]) -> int:
        felt: list[int] = []
        for node in self.nodes:
            felt.append(own(node.op) + max((felt[k] for k in node.args), default=0))
        return max(felt) + 1


def trace(formula: Callable[..., Any], inputs: int) -> Plan:
    """Run a formula on symbols and order what it did."""
    returned = formula(*(Expr(Source(i)) for i in range(inputs)))
    outputs: Sequence[Expr] = returned if isinstance(returned, tuple) else (returned,)
    nodes: dict[Node, int] = {Node(Source(i), (), 0): i for i in range(inputs)}
    seen: dict[int, int] = {}

    def place(expr: Expr) -> int:
        if id(expr) not in seen:
            node = Node(expr.op, tuple(place(arg) for arg in expr.args), expr.offset)
            seen[id(expr)] = nodes.setdefault(node, len(nodes))
        return seen[id(expr)]

    places = tuple(place(expr) for expr in outputs)
    lookback = max(expr.offset for expr in outputs)
    return Plan(tuple(nodes), places, lookback, inputs)
