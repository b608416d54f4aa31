"""Whole indicators as one compiled loop each: nearly all that TA-Lib also has.

A row is processed tile by tile, so that everything between input and output stays in the first cache.
They are used where all bars are finite; a row where one is not goes through the formula.
"""

from __future__ import annotations

from . import (
    adaptive,
    ages,
    averages,
    bands,
    chains,
    changes,
    crossings,
    directions,
    distances,
    extremes,
    flows,
    flowshares,
    pressure,
    ranges,
    strength,
    turns,
    weighted,
)

# By the name of the indicator: the loop takes the parameters, the inputs and outputs (rows x bars)
# and an array of one flag per row, which it clears where it met a bar that is not finite. It returns the
# states of the formula's recursions for every row, in their order, or None if the last bars are enough.
LOOPS = {
    **adaptive.LOOPS,
    **ages.LOOPS,
    **averages.LOOPS,
    **bands.LOOPS,
    **chains.LOOPS,
    **changes.LOOPS,
    **crossings.LOOPS,
    **directions.LOOPS,
    **distances.LOOPS,
    **extremes.LOOPS,
    **flows.LOOPS,
    **flowshares.LOOPS,
    **pressure.LOOPS,
    **ranges.LOOPS,
    **strength.LOOPS,
    **turns.LOOPS,
    **weighted.LOOPS,
}
