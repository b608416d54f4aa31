"""SQL of anomalies and of fewer points to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._anomaly import baselines as base
from .sql import int64s, known, median_distance, middle, over, statistic

if TYPE_CHECKING:
    from collections.abc import Sequence

_AWAY = (
    "if(abs(v - center) <= 1e-9 * greatest(abs(v), abs(center)), 0., "
    "if(isNaN(center) OR isNaN(scale) OR isNaN(v), 0., abs(v - center) / scale))"
)
GROUPS = "\0"  # no identifier can hold it: `quote` refuses zero bytes
WHOLE = ("zscore", "mad", "iqr")
ROLLING = ("rolling_zscore", "rolling_mad")


def judged(baselines: str, groups: Sequence[str], threshold: float) -> str:
    """Return the points further than the threshold from their baseline."""
    keys = ", ".join([*groups, "ns", "v"])
    return (
        f"SELECT {keys}, score, center, scale FROM (SELECT *, {_AWAY} AS score FROM (\n"  # noqa: S608
        f"{baselines}\n))\nWHERE score > {threshold!r}\nORDER BY {keys}"
    )


def whole_baseline(points: str, groups: Sequence[str], method: str) -> str:
    """Join every point with the one baseline of its group."""
    both = ["center", "scale"]
    finite = f"SELECT * FROM (\n{points}\n) WHERE isFinite(v)"  # noqa: S608
    if method == "zscore":
        center, scale = "avg(v) AS center", "if(count() > 1, stddevSampStable(v), 0.) AS scale"
        return joined(points, f"SELECT {GROUPS}{center}, {scale} FROM (\n{finite}\n)", groups, both)  # noqa: S608
    medians = f"SELECT {GROUPS}quantileExactInclusive(0.5)(v) AS m FROM (\n" + finite + "\n)"  # noqa: S608
    distances = f"SELECT *, abs(v - m) AS away FROM (\n{joined(finite, medians, groups, ['m'])}\n)"  # noqa: S608
    mad = (
        f"if(quantileExactInclusive(0.5)(away) > 0, "
        f"quantileExactInclusive(0.5)(away) * {base.MAD_TO_SIGMA!r}, "
        f"avg(away) * {base.MEAN_AD_TO_SIGMA!r})"
    )
    if method == "mad":
        one = f"SELECT {GROUPS}any(m) AS center, {mad} AS scale FROM (\n{distances}\n)"  # noqa: S608
        return joined(points, one, groups, both)
    low, high = (f"quantileExactInclusive({share})(v)" for share in (0.25, 0.75))
    one = (
        f"SELECT {GROUPS}if({high} > {low}, ({low} + {high}) / 2, any(m)) AS center,\n"
        f"  if({high} > {low}, ({high} - {low}) / {base.IQR_TO_SIGMA!r}, {mad}) AS scale\n"
        f"FROM (\n{distances}\n)"
    )
    return joined(points, one, groups, both)


def joined(points: str, one: str, groups: Sequence[str], names: Sequence[str]) -> str:
    """Join points with the named columns of one row per group; `one` marks where its groups go."""
    if not groups:
        one = one.replace(GROUPS, "")
        return f"SELECT * FROM (\n{points}\n) AS l CROSS JOIN (\n{one}\n) AS r"  # noqa: S608
    text = one.replace(GROUPS, ", ".join(groups) + ", ") + f" GROUP BY {', '.join(groups)}"
    match = " AND ".join(f"l.{g} <=> r.{g}" for g in groups)
    wanted = ", ".join(f"r.{name} AS {name}" for name in names)
    return f"SELECT l.*, {wanted} FROM (\n{points}\n) AS l INNER JOIN (\n{text}\n) AS r ON {match}"  # noqa: S608


def rolling_baseline(
    points: str, groups: Sequence[str], method: str, window: int, least: int
) -> str:
    """Join every point with the baseline of those before it."""
    frame = over(groups, f"ROWS BETWEEN {window} PRECEDING AND 1 PRECEDING")
    keys = ", ".join([*groups, "ns", "real AS v"])
    inner = f"SELECT *, v AS real0 FROM (\n{points}\n)"  # noqa: S608
    enough = f"{known(frame)} >= {least}"
    # The frame's functions name their column v: infinite values must not enter a baseline.
    renamed = f"SELECT * EXCEPT (v, real0), real0 AS real, if(isFinite(v), v, nan) AS v FROM (\n{inner}\n)"  # noqa: S608
    if method == "rolling_zscore":
        center, scale = statistic("mean", frame), statistic("std", frame)
        text = (
            f"SELECT *, if({enough}, {center}, nan) AS center, if({enough}, {scale}, nan) AS scale"
        )
        return _named(f"{text} FROM (\n{renamed}\n)", keys)
    cells = f"groupArray(if(isNaN(v), NULL, v)) {frame}"
    text = f"SELECT *, if({enough}, {cells}, []) AS cells FROM (\n{renamed}\n)"  # noqa: S608
    text = f"SELECT *, {middle('cells', 0.5)} AS center FROM (\n{text}\n)"  # noqa: S608
    mad = median_distance("cells", "center")
    mean = "arrayAvg(arrayMap(cell -> abs(cell - assumeNotNull(center)), cells))"
    scale = (
        f"if(empty(cells), nan, if({mad} > 0, {mad} * {base.MAD_TO_SIGMA!r}, "
        f"{mean} * {base.MEAN_AD_TO_SIGMA!r}))"
    )
    return _named(f"SELECT *, {scale} AS scale FROM (\n{text}\n)", keys)  # noqa: S608


def _named(text: str, keys: str) -> str:
    return f"SELECT {keys}, center, scale FROM (\n{text}\n)"  # noqa: S608


def extremes(points: str, edges: Sequence[int], origin: int) -> str:
    """Find the first least and the first greatest point of each range that starts at an edge."""
    return (
        "SELECT min((v, ns)) AS low, max((v, -ns)) AS high\n"
        f"FROM (SELECT *, roundDown(ns - {origin}, {int64s(edges)}) AS bin\n"
        f"FROM (\n{points}\n))\nGROUP BY bin"
    )


def means(points: str, edges: Sequence[int], origin: int) -> str:
    """Return the mean time and value of each range that starts at an edge."""
    return (
        f"SELECT avg(toFloat64(ns - {origin})) AS x, avg(v) AS y\n"
        f"FROM (SELECT *, roundDown(ns - {origin}, {int64s(edges)}) AS bin\n"
        f"FROM (\n{points}\n))\nGROUP BY bin ORDER BY bin"
    )


def triangles(points: str, cuts: Sequence[int], origin: int) -> str:
    """Choose by largest triangle three buckets: a fold over the buckets, each with its successor's mean."""
    x = f"toFloat64(e.1 - {origin})"
    area = (
        f"abs((acc.1 - m) * e.2 + (h - acc.2) * {x} - ((acc.1 - m) * acc.2 + (h - acc.2) * acc.1))"
    )
    pick = f"arrayReduce('argMax', b, arrayMap(e -> {area}, b))"
    numbered = f"SELECT *, row_number() OVER (ORDER BY ns, v) - 1 AS place FROM (\n{points}\n)"  # noqa: S608
    buckets = (
        f"SELECT roundDown(place, {int64s([0, *cuts])}) AS bucket,\n"
        "  arraySort(groupArray((ns, v))) AS b, avg(v) AS h,\n"
        f"  (toFloat64(min(ns) - {origin}) + toFloat64(max(ns) - {origin})) / 2 AS m\n"
        f"FROM (\n{numbered}\n) GROUP BY bucket ORDER BY bucket"
    )
    return (
        "WITH (bs[1])[1] AS head SELECT arrayFold((acc, b, m, h) -> (\n"
        f"  toFloat64(({pick}).1 - {origin}), ({pick}).2, arrayPushBack(acc.3, {pick})),\n"
        "  arraySlice(bs, 2, length(bs) - 2), arraySlice(ms, 3), arraySlice(hs, 3),\n"
        f"  (toFloat64(head.1 - {origin}), head.2, [head])).3 AS chosen, bs[-1] AS tail\n"
        "FROM (SELECT groupArray(b) AS bs, groupArray(m) AS ms, groupArray(h) AS hs\n"
        f"FROM (\n{buckets}\n))"
    )
