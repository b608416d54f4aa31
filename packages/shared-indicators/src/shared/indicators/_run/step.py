"""A plan as one straight function, for one value at a time.

The operations write its text, one or a few lines each. It is made once for floats and once for arrays (a
tick of many symbols), and in two ways: while warming up a node may have no value yet (None), later it
always has one, and the checks are left out.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.core.checks import number

from .._formula.expr import Map, Plan
from .._formula.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def ratio(a: Any, b: Any, undefined: float) -> Any:
    """Divide; `undefined` where the divisor is zero."""
    found = a / b
    zero = b == 0.0
    if zero.any():
        found[zero] = undefined
    return found


# The constructor of a named tuple is a function in Python; this is what it calls.
new = tuple.__new__

SCALARS: dict[str, Any] = {
    "accumulate": accumulate,
    "finite": number,
    "inf": math.inf,
    "nan": math.nan,
    "new": new,
    "sqrt": math.sqrt,
}
ARRAYS: dict[str, Any] = {
    "abs": np.abs,
    "accumulate": accumulate,
    "inf": np.inf,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "nan": np.nan,
    "new": new,
    "ratio": ratio,
    "sqrt": np.sqrt,
    "where": np.where,
}


@lru_cache(maxsize=512)
def on_arrays(text: str, count: int) -> Callable[..., Any]:
    """Return the elementwise operation of a text, for blocks of bars."""
    names = [f"a{i}" for i in range(count)]
    found: Callable[..., Any] = eval(  # noqa: S307 - our own text, never a user's
        f"lambda {', '.join(names)}: {text.format(*names)}", ARRAYS.copy()
    )
    return found


def streams(plan: Plan, *, scalar: bool) -> list[Any]:
    """Make new streams for the nodes that have a state, and None for the others."""
    return [node.op.stream(scalar=scalar) if node.op.has_state else None for node in plan.nodes]


def straight(
    plan: Plan,
    names: tuple[str, ...],
    held: Sequence[Any],
    result: Any,
    *,
    scalar: bool,
    warm: bool,
) -> tuple[Callable[..., Any], Callable[[], None]]:
    """Return the function of one bar, which returns what `update` returns, and its `save`.

    Args:
        plan: The formula.
        names: The inputs, which are the function's parameters.
        held: The streams of the nodes.
        result: The named tuple of the outputs; None for a single output.
        scalar: On floats; otherwise on arrays of one value per symbol.
        warm: For the bars until every node has a value.
    """
    make = _maker(plan, names, scalar=scalar, warm=warm)
    given = [
        stream if not warm and node.op.inline(scalar=scalar) else stream.step
        for node, stream in zip(plan.nodes, held, strict=True)
        if stream is not None
    ]
    found: tuple[Callable[..., Any], Callable[[], None]] = make(result, *given)
    return found


@lru_cache(maxsize=256)
def _maker(plan: Plan, inputs: tuple[str, ...], *, scalar: bool, warm: bool) -> Callable[..., Any]:
    bare = scalar and not warm
    writer = Writer(scalar=scalar, warm=warm, read_once=_read_once(plan) if bare else set())
    if bare:
        # One question for all inputs: a sum is finite if all are, but for an overflow. The attribute
        # costs less than a call of `type`.
        other = " or ".join(f"{name}.__class__ is not float" for name in inputs)
        writer.lines += [
            f"if {other} or ({' + '.join(inputs)}) * 0.0 != 0.0:",
            *(f"    {name} = finite({name!r}, {name})" for name in inputs),
        ]
    # The inputs under their own names: Python's own complaint about a missing one names it.
    values = [*inputs]
    for place, node in enumerate(plan.nodes[len(inputs) :], len(inputs)):
        values.append(node.op.emit(writer, place, [values[k] for k in node.args]))
    # A copy: a caller may write to the array that it receives, and a state may hold it.
    shown = "{v}" if scalar else "{v} if {v} is None else {v}.copy()" if warm else "{v}.copy()"
    outputs = [shown.format(v=values[k]) for k in plan.outputs]
    several = f"new(result, ({', '.join(outputs)}))"
    names = (SCALARS if scalar else ARRAYS).copy()
    text = writer.text(inputs, several if len(outputs) > 1 else outputs[0])
    exec(text, names)  # noqa: S102 - our own text, never a user's
    found: Callable[..., Any] = names["make"]
    return found


def _read_once(plan: Plan) -> set[int]:
    """Return the nodes that only one place reads: a variable would only cost time there."""
    texts = [
        node.op.scalar if isinstance(node.op, Map) else "".join(node.op.inline(scalar=True))
        for node in plan.nodes
    ]
    readers: dict[int, list[int]] = {}
    for k in plan.outputs:
        readers.setdefault(k, []).append(1)
    for node, text in zip(plan.nodes, texts, strict=True):
        for place, k in enumerate(node.args):
            names = (f"{{{place}}}", f"{{x{place}}}", *(["{x}"] if not place else []))
            readers.setdefault(k, []).append(sum(text.count(name) for name in names))
    return {k for k, counts in readers.items() if counts == [1]}
