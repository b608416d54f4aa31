"""Runs a plan over whole series: block after block, so that what lies between stays in the cache.

A bar where an input is not finite ends a segment; every segment starts from nothing.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from .._formula.expr import Pick
from .._kernels import on_numpy
from .step import on_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._formula.expr import Plan, Runner

# Bars per block, and values per block of several rows. The first decides how values are rounded: it is
# the same for panels and single series.
BARS = 16384
VALUES = 32768


class Segment:
    """A plan running over one stretch of finite bars, of one or more rows."""

    def __init__(self, plan: Plan, kernels: Any) -> None:
        self.plan = plan
        self.bars = 0
        self.runners: list[Runner | None] = [
            node.op.runner(kernels) if node.op.has_state else None for node in plan.nodes
        ]

    def feed(self, blocks: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Take the next bars of every input; return the outputs, aligned at the last bar."""
        values: list[Any] = list(blocks)
        for node, runner in zip(
            self.plan.nodes[len(values) :], self.runners[len(values) :], strict=True
        ):
            args = [values[k] for k in node.args]
            if isinstance(node.op, Pick):
                values.append(args[0][node.op.index])
                continue
            if len(args) > 1:
                shortest = min(arg.shape[1] for arg in args)
                args = [arg[:, arg.shape[1] - shortest :] for arg in args]
            if runner is not None:
                values.append(runner.feed(*args))
            else:
                values.append(on_arrays(node.op.array_text, len(args))(*args))  # type: ignore[attr-defined]
        self.bars += blocks[0].shape[1]
        valid = max(0, self.bars - self.plan.lookback)
        return [
            out[:, max(0, out.shape[1] - valid) :] for out in (values[k] for k in self.plan.outputs)
        ]

    def resume(self) -> tuple[list[Any], int]:
        """Return streams in the same state, and how many bars they saw."""
        return [None if r is None else r.resume() for r in self.runners], self.bars


class Tail:
    """The last bars of a row, as many as can still be felt: a stream can be made of them.

    With the states of the recursions, one row after the other, only windows have to be filled.
    """

    def __init__(
        self, plan: Plan, inputs: Sequence[np.ndarray], states: np.ndarray | None = None
    ) -> None:
        self.plan = plan
        self.bars = inputs[0].shape[1]
        self.states = None if states is None else states[0].tolist()
        memory = plan.memory if states is None else plan.window
        self.inputs = [x[:, max(0, self.bars - memory) :].copy() for x in inputs]

    def resume(self) -> tuple[list[Any], int]:
        """Return streams in the same state, and how many bars they saw."""
        segment = Segment(self.plan, on_numpy)
        with np.errstate(all="ignore"):
            segment.feed(self.inputs)
        streams, _ = segment.resume()
        if self.states is not None:
            states = iter(self.states)
            for node, stream in zip(self.plan.nodes, streams, strict=True):
                if node.op.states:
                    stream.stand(list(islice(states, node.op.states)))
        return streams, self.bars


def run(
    plan: Plan, kernels: Any, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray]
) -> Segment | None:
    """Fill `outputs` (rows x bars); return the last segment if it is a single row that ends in finite bars."""
    rows, bars = inputs[0].shape
    at_once = max(1, VALUES // max(1, bars))
    last = None
    for row in range(0, rows, at_once):
        part = slice(row, row + at_once)
        last = _run_rows(plan, kernels, [x[part] for x in inputs], [out[part] for out in outputs])
    return last if rows == 1 else None


def _run_rows(
    plan: Plan, kernels: Any, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray]
) -> Segment | None:
    rows, bars = inputs[0].shape
    segment: Segment | None = None
    for start in range(0, bars, BARS):
        stop = min(start + BARS, bars)
        blocks = [x[:, start:stop] for x in inputs]
        if kernels.all_finite(blocks):
            segment = segment or Segment(plan, kernels)
            _write(outputs, segment.feed(blocks), start, stop)
        elif rows > 1:
            for row in range(rows):
                one = slice(row, row + 1)
                _run_rows(plan, kernels, [x[one] for x in inputs], [o[one] for o in outputs])
            return None
        else:
            segment = _run_pieces(plan, kernels, segment, blocks, outputs, start)
    return segment


def _run_pieces(
    plan: Plan,
    kernels: Any,
    segment: Segment | None,
    blocks: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    start: int,
) -> Segment | None:
    """Feed a block with bars that are not finite: the stretches between them."""
    finite = np.logical_and.reduce([np.isfinite(block[0]) for block in blocks])
    for out in outputs:
        out[0, start : start + len(finite)] = np.nan
    edges = np.flatnonzero(np.diff(finite, prepend=False, append=False)).tolist()
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if a > 0 or segment is None:
            segment = Segment(plan, kernels)
        _write(outputs, segment.feed([x[:, a:b] for x in blocks]), start + a, start + b)
    return segment if finite[-1] else None


def _write(
    outputs: Sequence[np.ndarray], found: Sequence[np.ndarray], start: int, stop: int
) -> None:
    for out, values in zip(outputs, found, strict=True):
        first = stop - values.shape[1]
        out[:, start:first] = np.nan
        out[:, first:stop] = values
