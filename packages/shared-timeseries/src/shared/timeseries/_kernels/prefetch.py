"""A hint to the processor, for compiled loops that read two arrays in turns."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic


def _prefetch(_: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of `array[index]`, which may lie past the array's end.

    The processor predicts what is read next while one array is read along. If two are read in turns,
    a few dozen values of each, the prediction fails, and each turn waits for memory.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(data, [arguments[1]])
        place = builder.bitcast(place, ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        shape = ir.FunctionType(ir.VoidType(), [place.type, word, word, word])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [place.type], shape)
        builder.call(hint, [place, word(0), word(3), word(1)])  # to read, all levels, data
        return context.get_dummy_value()

    return types.void(array, index), emit


prefetch: Any = intrinsic(_prefetch)
