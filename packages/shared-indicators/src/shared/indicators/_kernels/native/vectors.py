"""Eight bars at once: a vector type for the compiled loops. Hot: measured, see decision 0074.

LLVM maps it to what the processor has: one register of 512 bits, two of 256 or four of 128. Left to
itself, it vectorises few of the loops here, and none with a recurrence. An operation is the same for each
of the eight bars on every processor; only whether a product is rounded before it is added depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic as _intrinsic
from numba.extending import models, register_model
from numba.np import arrayobj

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Generate = Callable[[Any, Sequence[Any]], Any]

WIDTH = 8

# Functions of numba without types.
_array_at: Any = arrayobj.make_array
_declared: Any = cgutils.get_or_insert_function

_DOUBLE = ir.DoubleType()
_OCTET = ir.VectorType(_DOUBLE, WIDTH)
_ZERO = ir.Constant(_OCTET, [0.0] * WIDTH)
_ONE = ir.Constant(_OCTET, [1.0] * WIDTH)
_LANES = ir.VectorType(ir.IntType(32), WIDTH)


class Octet(types.Type):
    """Numba's type of eight float64."""

    def __init__(self) -> None:
        super().__init__(name="Octet")


@register_model(Octet)
class _OctetModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _OCTET)  # type: ignore[no-untyped-call]


octet = Octet()
_one, _at = types.float64, types.intp


def _operation(result: Any, *arguments: Any) -> Callable[[Generate], Any]:
    """Make a function of compiled code from one that writes LLVM's; `None` stands for any array."""

    def decorate(generate: Generate) -> Any:
        def write(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
            if arguments[:1] == (None,):
                array = _array_at(signature.args[0])(context, builder, values[0])
                start = builder.gep(array.data, [values[1]])
                values = [builder.bitcast(start, _OCTET.as_pointer()), *values[2:]]
            made = generate(builder, values)
            return context.get_dummy_value() if result is types.void else made

        def kinds(given: Sequence[Any]) -> Any:
            known = (b if a is None else a for a, b in zip(arguments, given, strict=True))
            return result(*known), write

        # numba looks at the names of the arguments.
        typed: list[Any] = [
            lambda _context, a: kinds((a,)),
            lambda _context, a, b: kinds((a, b)),
            lambda _context, a, b, c: kinds((a, b, c)),
            lambda _context, a, b, c, d: kinds((a, b, c, d)),
        ]
        return _intrinsic(typed[len(arguments) - 1])

    return decorate


def _shuffled(builder: Any, older: Any, newer: Any, lanes: Sequence[int]) -> Any:
    return builder.shuffle_vector(older, newer, ir.Constant(_LANES, list(lanes)))


def _splat(builder: Any, value: Any) -> Any:
    first = builder.insert_element(_ZERO, value, ir.IntType(32)(0))
    return _shuffled(builder, first, _ZERO, [0] * WIDTH)


def _call(builder: Any, name: str, kind: Any, values: Sequence[Any]) -> Any:
    function = ir.FunctionType(kind, [kind] * len(values))
    return builder.call(_declared(builder.module, function, name), values)


def _add_product(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return _call(builder, "llvm.fmuladd.v8f64", _OCTET, (a, b, c))


def _late(builder: Any, values: Any, bars: int, before: Any = _ZERO) -> Any:
    return _shuffled(builder, before, values, range(WIDTH - bars, 2 * WIDTH - bars))


@_operation(octet, None, _at)
def load(builder: Any, values: Any) -> Any:
    """Load the eight values of an array from a place on; nothing checks that they are there."""
    return builder.load(values[0], align=8)


@_operation(types.void, None, _at, octet)
def store(builder: Any, values: Any) -> Any:
    """Write eight values to an array, from a place on."""
    builder.store(values[1], values[0], align=8)


@_operation(octet, _one)
def splat(builder: Any, values: Any) -> Any:
    """Return one value, eight times."""
    return _splat(builder, values[0])


@_operation(octet, octet, octet)
def add(builder: Any, values: Any) -> Any:
    """Add."""
    return builder.fadd(*values)


@_operation(octet, octet, octet)
def sub(builder: Any, values: Any) -> Any:
    """Subtract."""
    return builder.fsub(*values)


@_operation(octet, octet, octet)
def mul(builder: Any, values: Any) -> Any:
    """Multiply."""
    return builder.fmul(*values)


@_operation(octet, octet, octet)
def div(builder: Any, values: Any) -> Any:
    """Divide."""
    return builder.fdiv(*values)


@_operation(octet, octet, octet, octet)
def fma(builder: Any, values: Any) -> Any:
    """Return the product of the first two, plus the third."""
    return _add_product(builder, *values)


@_operation(_one, _one, _one, _one)
def fma_one(builder: Any, values: Any) -> Any:
    """Return the same of single values, rounded the same way."""
    return _call(builder, "llvm.fmuladd.f64", _DOUBLE, values)


@_operation(octet, octet)
def root(builder: Any, values: Any) -> Any:
    """Return the square root."""
    return _call(builder, "llvm.sqrt.v8f64", _OCTET, values)


@_operation(octet, octet)
def size(builder: Any, values: Any) -> Any:
    """Return the absolute value."""
    return _call(builder, "llvm.fabs.v8f64", _OCTET, values)


@_operation(octet, octet, octet)
def larger(builder: Any, values: Any) -> Any:
    """Return the larger; the second where one is NaN."""
    return builder.select(builder.fcmp_ordered(">", *values), *values)


@_operation(octet, octet, octet)
def smaller(builder: Any, values: Any) -> Any:
    """Return the smaller; the second where one is NaN."""
    return builder.select(builder.fcmp_ordered("<", *values), *values)


@_operation(octet, octet, octet, octet, octet)
def where_more(builder: Any, values: Any) -> Any:
    """Return the third where the first is more than the second, else the fourth."""
    return builder.select(builder.fcmp_ordered(">", *values[:2]), *values[2:])


@_operation(octet, octet, octet, octet, octet)
def where_less(builder: Any, values: Any) -> Any:
    """Return the third where the first is less than the second or one is NaN, else the fourth."""
    return builder.select(builder.fcmp_unordered("<", *values[:2]), *values[2:])


@_operation(octet, octet, octet, octet)
def where_zero(builder: Any, values: Any) -> Any:
    """Return the second where the first is zero, else the third."""
    return builder.select(builder.fcmp_ordered("==", values[0], _ZERO), *values[1:])


@_operation(octet, octet, octet, _one)
def chained(builder: Any, values: Any) -> Any:
    """Return the next eight of y = keep * y + gain; takes eight of each and the y before them.

    In three steps a bar's keep and gain become those of two, four and eight bars in a row.
    """
    keep, gain, y = values
    for bars in (1, 2, 4):
        gain = _add_product(builder, keep, _late(builder, gain, bars), gain)
        keep = builder.fmul(keep, _late(builder, keep, bars, _ONE))
    return _add_product(builder, keep, _splat(builder, y), gain)


@_operation(octet, octet, _one)
def late(builder: Any, values: Any) -> Any:
    """Return every value a bar later; the first is given."""
    return _late(builder, values[0], 1, _splat(builder, values[1]))


@_operation(_one, octet)
def last(builder: Any, values: Any) -> Any:
    """Return the newest of the eight."""
    return builder.extract_element(values[0], ir.IntType(32)(WIDTH - 1))


@_operation(_one, octet, _at)
def lane(builder: Any, values: Any) -> Any:
    """Return the one at a place."""
    return builder.extract_element(*values)


@_operation(_one, octet)
def summed(builder: Any, values: Any) -> Any:
    """Return the sum of the eight."""
    found = values[0]
    for bars in (4, 2, 1):
        found = builder.fadd(found, _late(builder, found, bars))
    return builder.extract_element(found, ir.IntType(32)(WIDTH - 1))


@_operation(octet, octet, _one, _one, _one)
def faded(builder: Any, values: Any) -> Any:
    """Add to each bar the ones before it, times k for every bar of age; takes k, k**2, k**4.

    Three steps: with the bar before, with two before, with four before.
    """
    found = values[0]
    for bars, weight in zip((1, 2, 4), values[1:], strict=True):
        late = _late(builder, found, bars)
        found = _add_product(builder, late, _splat(builder, weight), found)
    return found
