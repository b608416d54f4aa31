"""A plan as one straight function, for one value at a time.

The text of the function has a line a node. It is made once for floats and once for arrays (a tick of
many symbols), and in two ways: while warming up a node may have nothing to say yet (None), later it
always has, and the checks are left out.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ._checks import real, refuse
from ._expr import Map, Pick, Plan, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def ratio(a: Any, b: Any, undefined: float) -> Any:
    """Quotient; `undefined` where the divisor is zero."""
    found = a / b
    zero = b == 0.0
    if zero.any():
        found[zero] = undefined
    return found


SCALARS: dict[str, Any] = {
    "inf": math.inf,
    "nan": math.nan,
    "real": real,
    "refuse": refuse,
    "sqrt": math.sqrt,
}
ARRAYS: dict[str, Any] = {
    "abs": np.abs,
    "inf": np.inf,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "nan": np.nan,
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
) -> Callable[..., Any]:
    """The function of one bar: takes the inputs, returns what `update` returns."""
    make = _maker(plan, indicator.inputs, scalar=scalar, warm=warm)
    held = [
        stream if not warm and node.op.inline(scalar=scalar) else stream.step
        for node, stream in zip(plan.nodes, streams, strict=True)
        if stream is not None
    ]
    found: Callable[..., Any] = make(indicator.result, *held)
    return found


@lru_cache(maxsize=256)
def _maker(plan: Plan, inputs: tuple[str, ...], *, scalar: bool, warm: bool) -> Callable[..., Any]:
    steps, lines = ["result"], []
    if scalar and not warm:
        for i, name in enumerate(inputs):
            lines += [
                f"if type(v{i}) is not float: v{i} = real({name!r}, v{i})",
                f"if v{i} - v{i} != 0.0: refuse({name!r}, v{i})",
            ]
    for i, node in enumerate(plan.nodes):
        args = [f"v{k}" for k in node.args]
        match node.op:
            case Source():
                continue
            case Pick(index=k):
                value = f"{args[0]}[{k}]"
            case Map() as op:
                value = (op.scalar if scalar else op.array_text).format(*args)
            case op:
                steps.append(f"s{i}")
                inline = () if warm else op.inline(scalar=scalar)
                if inline:
                    lines += [line.format(s=f"s{i}", v=f"v{i}", x=args[0]) for line in inline]
                    continue
                value = f"s{i}({', '.join(args)})"
        if warm:
            missing = " or ".join(f"{arg} is None" for arg in args)
            value = f"None if {missing} else {value}"
        lines.append(f"v{i} = {value}")
    # A copy: a caller may write to the array that he is given, and a state may hold it.
    shown = "v{k}" if scalar else "v{k} if v{k} is None else v{k}.copy()" if warm else "v{k}.copy()"
    outputs = [shown.format(k=k) for k in plan.outputs]
    several = len(outputs) > 1
    text = (
        f"def make({', '.join(steps)}):\n"
        f"    def update({', '.join(f'v{i}' for i in range(len(inputs)))}, /):\n"
        + "".join(f"        {line}\n" for line in lines)
        + f"        return {'result' if several else ''}({', '.join(outputs)})\n"
        "    return update\n"
    )
    names = (SCALARS if scalar else ARRAYS).copy()
    exec(text, names)  # noqa: S102 - our own text, never a user's
    found: Callable[..., Any] = names["make"]
    return found
