"""The SQL texts of `ClickHouseSeries`. Identifiers arrive quoted, numbers checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.core.checks import refuse

from .._kernels.runs import quantile_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._reduce.request import Plan
    from .._time.sizes import Step


def quote(name: str) -> str:
    r"""Quote an identifier so that it cannot end early.

    Example:
        >>> print(quote("a`; DROP TABLE b --"))
        `a\`; DROP TABLE b --`
    """
    if not name:
        raise refuse("an identifier", "a name that is not empty", name)
    if "\0" in name:
        raise refuse("an identifier", "a name without a zero byte", name)
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def int64s(numbers: Sequence[int]) -> str:
    """Return an array that ClickHouse does not take for a smaller type."""
    return f"CAST([{', '.join(map(str, numbers))}], 'Array(Int64)')"


def window_number(plan: Plan) -> str:
    """Return the start of the window that holds a point's `ns`."""
    late = plan.request.late
    if plan.grid.step.ns:
        step, origin = plan.grid.step.ns, plan.grid.edge(plan.first)
        # The first edge is at or before every point, so integer division rounds down.
        begin = f"{origin} + intDiv(ns - {origin + late}, {step}) * {step}"
    else:
        edges = plan.grid.edges(plan.first, plan.stop).tolist()
        begin = f"roundDown(ns - {late}, {int64s(edges)})"
    last = plan.grid.edge(plan.stop - 1)
    return f"least({begin}, toInt64({last}))" if plan.closed_end is not None else begin


def aggregate_of(name: str, *, skipna: bool) -> str:
    """Return one aggregate of `v`, with ties of time broken by value as the local functions do."""
    if (share := quantile_of(name)) is not None:
        plain = f"quantileExactInclusive({share!r})(v)"
    else:
        plain = {
            "avg": "avg(v)",
            "sum": "sum(v)",
            "min": "min(v)",
            "max": "max(v)",
            "count": "toFloat64(count(v))",
            "first": "argMin(v, (ns, v))",
            "last": "argMax(v, (ns, v))",
            "std": "if(count(v) > 1, stddevSampStable(v), nan)",
        }[name]
    if skipna:
        return f"ifNull({plain}, nan)"  # v is NULL where it is not known
    if name in {"first", "last"}:  # of equal times NaN comes last, as in a sorted list
        return plain.replace("(ns, v)", "(ns, isNaN(v), v)")
    if name == "count":
        return plain
    return f"if(countIf(isNaN(v)) > 0, nan, {plain})"


def windows(points: str, plan: Plan, groups: Sequence[str], order: Sequence[str]) -> str:
    """Return aggregates of every window that holds a point."""
    keys = ", ".join([*groups, "begin"])
    columns = [
        f"{aggregate_of(n, skipna=plan.request.skipna)} AS a{i}" for i, n in enumerate(order)
    ]
    if plan.request.skipna:
        points = f"SELECT * REPLACE (if(isNaN(v), NULL, v) AS v) FROM (\n{points}\n)"  # noqa: S608
    return (
        f"SELECT {keys}, count(v) AS rows{''.join(', ' + c for c in columns)}\n"  # noqa: S608
        f"FROM (SELECT *, {window_number(plan)} AS begin FROM (\n{points}\n))\n"
        f"GROUP BY {keys}\nORDER BY {keys}"
    )


def median_gap(points: str, groups: Sequence[str]) -> str:
    """Return the median distance of neighbours at different times."""
    return (
        "SELECT count() AS gaps, quantileExactInclusive(0.5)(gap) AS middle FROM (\n"  # noqa: S608
        f"{distances(points, groups)}\n) WHERE gap > 0"
    )


def wide_gaps(points: str, groups: Sequence[str], step: int, longest: int | None) -> str:
    """Return how many whole steps the gaps hold."""
    limit = "" if longest is None else f" AND gap <= {longest}"
    return (
        f"SELECT sum(intDiv(gap, {step})) FROM (\n"  # noqa: S608
        f"{distances(points, groups)}\n) WHERE gap > {step}{limit}"
    )


def distances(points: str, groups: Sequence[str]) -> str:
    """Return the time from each point to the next."""
    frame = over(groups, "ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING")
    return f"SELECT leadInFrame(ns, 1, ns) {frame} - ns AS gap FROM (\n{points}\n)"  # noqa: S608


def over(groups: Sequence[str], frame: str = "") -> str:
    """Return a window over each group in order of time and value."""
    part = f"PARTITION BY {', '.join(groups)} " if groups else ""
    return f"OVER ({part}ORDER BY ns, v{' ' + frame if frame else ''})"


def stepped(points: str, groups: Sequence[str]) -> str:
    """Return each known point with the one before it (`had` is 0 for the first)."""
    frame = over(groups, "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW")
    return (
        f"SELECT *, lagInFrame(ns, 1, ns) {frame} AS ns0, lagInFrame(v, 1, v) {frame} AS v0,\n"
        f"  lagInFrame(1, 1, 0) {frame} AS had\nFROM (\n{points}\n) WHERE NOT isNaN(v)"
    )


def growth(points: str, plan: Plan | None, groups: Sequence[str]) -> str:
    """Return what `Growth` holds, for each window or for the whole."""
    begin = window_number(plan) if plan is not None else "toInt64(0)"
    before = begin.replace("(ns", "(ns0")
    keys = ", ".join([*groups, "begin"])
    step = "if(v < v0, v, v - v0)"
    return (
        f"SELECT {keys}, count() AS rows, sumIf({step}, had) AS owned,\n"  # noqa: S608
        f"  if(max(had), max(ns) - min(ns0), -1) AS took,\n"
        f"  sumIf({step}, had AND {before} = begin) AS inner,\n"
        f"  min(ns) AS first, max(ns) AS last, argMin(v, (ns, v)) AS first_value\n"
        f"FROM (SELECT *, {begin} AS begin FROM (\n{stepped(points, groups)}\n))\n"
        f"GROUP BY {keys}\nORDER BY {keys}"
    )


def rolled(points: str, groups: Sequence[str], window: int, stat: str, least: int) -> str:
    """Return a statistic over each point and those before it, NaN values left out."""
    # Windowed aggregates skip NULL; with NaN they would be NaN.
    frame = over(groups, f"ROWS BETWEEN {window - 1} PRECEDING AND CURRENT ROW")
    return (
        f"SELECT {', '.join([*groups, 'ns', 'v'])}, "
        f"if({known(frame)} >= {least}, {statistic(stat, frame)}, nan) AS out\n"
        f"FROM (\n{points}\n)\nORDER BY {', '.join([*groups, 'ns', 'v'])}"
    )


def known(frame: str) -> str:
    """Return how many values of a frame are known."""
    return f"count(if(isNaN(v), NULL, v)) {frame}"


def statistic(stat: str, frame: str) -> str:
    """Return a statistic of a frame as a Float64, NaN where there is none."""
    value = "if(isNaN(v), NULL, v)"
    if stat == "count":
        return f"toFloat64({known(frame)})"
    if stat == "sum":
        return f"ifNull(sum({value}) {frame}, 0)"
    if stat in {"mean", "min", "max"}:
        name = "avg" if stat == "mean" else stat
        return f"ifNull({name}({value}) {frame}, nan)"
    if stat in {"std", "zscore"}:
        spread = f"if({known(frame)} > 1, ifNull(stddevSampStable({value}) {frame}, nan), nan)"
        if stat == "std":
            return spread
        return f"(v - ifNull(avg({value}) {frame}, nan)) / if({spread} > 0, {spread}, nan)"
    cells = f"groupArray({value}) {frame}"
    if stat == "mad":
        return median_distance(cells, middle(cells, 0.5))
    return middle(cells, quantile_of(stat) or 0.0)


def middle(cells: str, share: float) -> str:
    """Return a linear quantile of an array, NaN of an empty one."""
    return f"if(empty({cells}), nan, arrayReduce('quantileExactInclusive({share!r})', {cells}))"


def median_distance(cells: str, center: str) -> str:
    """Return the median distance of an array's cells from a center."""
    return (
        f"if(empty({cells}), nan, arrayReduce('quantileExactInclusive(0.5)', "
        f"arrayMap(cell -> abs(cell - assumeNotNull({center})), {cells})))"
    )


def gaps(points: str, groups: Sequence[str], step: Step, method: str, longest: int | None) -> str:
    """Return all points, and new ones at whole steps after each point that a gap follows."""
    keys = ", ".join([*groups, "ns", "v"])
    value = {
        "null": "nan",
        "0": "0.",
        "previous": "v",
        "linear": "v + (v1 - v) * ((ns + k * {0} - ns) / (ns1 - ns))",
    }[method].format(step.ns)
    limit = "" if longest is None else f" AND ns1 - ns <= {longest}"
    frame = over(groups, "ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING")
    select = ", ".join([*groups, f"ns + k * {step.ns} AS at", f"{value} AS filled"])
    return (
        f"SELECT {', '.join([*groups, 'at', 'filled'])} FROM (\n"  # noqa: S608
        f"SELECT {', '.join([*groups, 'ns AS at', 'v AS filled'])} FROM (\n{points}\n)\n"
        f"UNION ALL\nSELECT {select} FROM (\n"
        f"SELECT {keys}, leadInFrame(ns, 1, ns) {frame} AS ns1, "
        f"leadInFrame(v, 1, v) {frame} AS v1 FROM (\n{points}\n))\n"
        f"ARRAY JOIN range(1, toUInt64(intDiv(ns1 - ns - 1, {step.ns}) + 1)) AS k\n"
        f"WHERE ns1 - ns > {step.ns}{limit}\n)\n"
        f"ORDER BY {', '.join([*groups, 'at', 'filled'])}"
    )
