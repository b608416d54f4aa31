"""Whole indicators as one compiled loop each: nearly all that TA-Lib has, too.

A row is taken a tile at a time, so that everything between input and output stays in the first cache.
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

# By the name in `Indicator.native`: the loop takes the parameters, the inputs and outputs (rows x bars)
# and an array of a flag a row, which it clears where it met a bar that is not finite. It returns where the
# recursions of the formula stand in every row, in their order, or None if the last bars tell.
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
