"""A plan as one straight function, for one value at a time.

The text of the function has a line a node. It is made once for floats and once for arrays (a tick of
many symbols), and in two ways: while warming up a node may have nothing to say yet (None), later it
always has, and the checks are left out.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from ._checks import finite
from ._expr import Map, Pick, Plan, Source
from ._windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def ratio(a: Any, b: Any, undefined: float) -> Any:
    """Quotient; `undefined` where the divisor is zero."""
    found = a / b
    zero = b == 0.0
    if zero.any():
        found[zero] = undefined
    return found


# The constructor of a named tuple is a function in Python; this is what it calls.
new = tuple.__new__

SCALARS: dict[str, Any] = {
    "accumulate": accumulate,
    "finite": finite,
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
    """The elementwise operation of a text, for blocks of bars."""
    names = [f"a{i}" for i in range(count)]
    found: Callable[..., Any] = eval(  # noqa: S307 - our own text, never a user's
        f"lambda {', '.join(names)}: {text.format(*names)}", ARRAYS.copy()
    )
    return found


def straight(
    plan: Plan, streams: Sequence[Any], indicator: Any, *, warm: bool, scalar: bool = True
) -> tuple[Callable[..., Any], Callable[[], None]]:
    """The function of one bar, which returns what `update` returns, and its `save`."""
    make = _maker(plan, indicator.inputs, scalar=scalar, warm=warm)
    held = [
        stream if not warm and node.op.inline(scalar=scalar) else stream.step
        for node, stream in zip(plan.nodes, streams, strict=True)
        if stream is not None
    ]
    found: tuple[Callable[..., Any], Callable[[], None]] = make(indicator.result, *held)
    return found


@lru_cache(maxsize=256)
def _maker(plan: Plan, inputs: tuple[str, ...], *, scalar: bool, warm: bool) -> Callable[..., Any]:
    steps, lines, ends = ["result"], [], list[str]()
    cells: dict[str, str] = {}
    # The inputs under their own names: Python's own complaint about a missing one says which.
    values = [*inputs, *(f"v{i}" for i in range(len(inputs), len(plan.nodes)))]
    if scalar and not warm:
        # One question for all inputs: a sum is finite when all are, but for an overflow. The attribute
        # costs less than a call of `type`.
        other = " or ".join(f"{name}.__class__ is not float" for name in inputs)
        lines += [
            f"if {other} or ({' + '.join(inputs)}) * 0.0 != 0.0:",
            *(f"    {name} = finite({name!r}, {name})" for name in inputs),
        ]
    within = _read_once(plan) if scalar and not warm else set()
    for i, node in enumerate(plan.nodes):
        args = [values[k] for k in node.args]
        inline = () if warm else node.op.inline(scalar=scalar)
        match node.op:
            case Source():
                continue
            case Pick(index=k):
                apart = scalar and not warm
                value = f"{args[0]}_{k}" if apart else f"{args[0]}[{k}]"
            case Map() as op:
                value = (op.scalar if scalar else op.array_text).format(*args)
                if i in within:
                    values[i] = f"({value})"
                    continue
            case Window(kind="lag", period=1) if inline and scalar:
                # The variable itself, until the bar is done: a second one would only cost time.
                steps.append(f"s{i}")
                values[i] = _in_cells("{s}.last", f"s{i}", cells)
                ends.append(f"{values[i]} = {args[0]}")
                continue
            case _ if inline:
                steps.append(f"s{i}")
                given = {f"x{k}": arg for k, arg in enumerate(args)}
                for line in inline:
                    own = _in_cells(line, f"s{i}", cells) if scalar else line
                    lines.append(own.format(s=f"s{i}", v=f"v{i}", x=args[0], **given))
                continue
            case _:
                steps.append(f"s{i}")
                value = f"s{i}({', '.join(args)})"
        if warm:
            missing = " or ".join(f"{arg} is None" for arg in args)
            value = f"None if {missing} else {value}"
        lines.append(f"v{i} = {value}")
    # A copy: a caller may write to the array that he is given, and a state may hold it.
    shown = "{v}" if scalar else "{v} if {v} is None else {v}.copy()" if warm else "{v}.copy()"
    outputs = [shown.format(v=values[k]) for k in plan.outputs]
    several = f"new(result, ({', '.join(outputs)}))"
    shown = several if len(outputs) > 1 else outputs[0]
    if ends:
        # The newest first: what one holds may be said in terms of another.
        lines += [f"found = {shown}", *reversed(ends)]
        shown = "found"
    lines.append(f"return {shown}")
    if cells:
        lines.insert(0, f"nonlocal {', '.join(cells)}")
    text = "\n    ".join(
        [
            f"def make({', '.join(steps)}):",
            *(f"{cell} = {attribute}" for cell, attribute in cells.items()),
            f"def update({', '.join(inputs)}, /):",
            *(f"    {line}" for line in lines),
            "def save():",
            *(f"    {attribute} = {cell}" for cell, attribute in cells.items()),
            "    return",
            "return update, save",
        ]
    )
    names = (SCALARS if scalar else ARRAYS).copy()
    exec(text, names)  # noqa: S102 - our own text, never a user's
    found: Callable[..., Any] = names["make"]
    return found


def _read_once(plan: Plan) -> set[int]:
    """The nodes that one place alone reads: a variable would only cost time there."""
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


def _in_cells(line: str, stream: str, cells: dict[str, str]) -> str:
    """The line with variables in place of the attributes of its stream."""

    def cell(found: re.Match[str]) -> str:
        name = f"{stream}_{found[1]}"
        cells[name] = f"{stream}.{found[1]}"
        return name

    return re.sub(r"\{s\}\.(\w+)", cell, line)
