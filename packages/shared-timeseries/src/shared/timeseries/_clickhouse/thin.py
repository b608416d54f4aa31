"""Fewer points of a table, chosen where the points are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._reduce.downsample import downsample, read_count
from . import judge

if TYPE_CHECKING:
    from .._data.series import TimeSeries
    from .table import Table


def thin(table: Table, n: int, method: str) -> TimeSeries:
    """Choose some of the points that have a value."""
    n = read_count(n, method)
    points = f"SELECT * FROM (\n{table.points}\n) WHERE NOT isNaN(v)"  # noqa: S608
    rows = table.client.query(f"SELECT count() FROM (\n{points}\n)").result_rows  # noqa: S608
    count = int(rows[0][0])
    if not count or (count <= n and method != "mean"):
        chosen = table.run(f"SELECT ns, v FROM (\n{points}\n) ORDER BY ns, v")  # noqa: S608
        return table.series(*(chosen or ([], [])))
    if method == "lttb" or (method == "minmaxlttb" and count <= n * 4 + 2):
        every = (count - 2) / (n - 2)
        cuts = ((every * np.arange(n - 1)).astype(np.int64) + 1).tolist()
        origin = _ends(table, points)[0][0]
        path, tail = table.run(judge.triangles(points, cuts, origin))
        some = [*path[0], tail[0][-1]]
        return table.series([p[0] for p in some], [p[1] for p in some])
    return _binned(table, points, n, method)


def _ends(table: Table, points: str) -> list[tuple[int, float]]:
    """Return the first two and the last two points."""
    out = []
    for way in ("", " DESC"):
        text = f"SELECT ns, v FROM (\n{points}\n) ORDER BY ns{way}, v{way} LIMIT 2"  # noqa: S608
        rows = [(int(ns), float(v)) for ns, v in table.client.query(text).result_rows]
        out += (rows * 2)[:2] if len(rows) == 1 else rows
    return out


def _binned(table: Table, points: str, n: int, method: str) -> TimeSeries:
    """Choose the least and greatest, or average, in equal ranges of time."""
    first, second, last, before = _ends(table, points)
    low, high, bins = first[0], last[0], n if method == "mean" else n // 2
    inner = points
    if method == "minmaxlttb":
        low, high, bins = second[0], before[0], n * 2
        # One row at each end is left out; an equal twin may stay, since it is the same point.
        for end, twin in ((first, second), (last, before)):
            if end != twin:
                inner += f" AND NOT (ns = {end[0]} AND v = toFloat64('{end[1]!r}'))"
    edges = np.linspace(0.0, float(high - low), bins + 1)[:-1]
    starts = np.unique(np.ceil(edges).astype(np.int64)).tolist()
    if method == "mean":
        x, y = table.run(judge.means(inner, starts, low))
        return table.series(np.rint(np.array(x, np.float64)).astype(np.int64) + low, y)
    lows, highs = table.run(judge.extremes(inner, starts, low))
    chosen = {(int(p[1]), float(p[0])) for p in lows} | {(-int(p[1]), float(p[0])) for p in highs}
    some = sorted(chosen | ({first, last} if method == "minmaxlttb" else set()))
    series = table.series([p[0] for p in some], [p[1] for p in some])
    return series if method == "minmax" else downsample(series, n=n, output="series", fast=False)
