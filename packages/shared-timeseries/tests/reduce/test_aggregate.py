"""Aggregation: equal to pandas and polars, and right where toys are wrong."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.timeseries import TimeSeries, aggregate_time_series

ALL = ["avg", "sum", "min", "max", "count", "first", "last", "std", "median", "p50", "p95", "p99"]
START = datetime(2024, 1, 1)


def minutes(*at):
    return [{"t": START + timedelta(minutes=m), "v": float(m)} for m in at]


def test_hand_checked_table():
    rows = aggregate_time_series(minutes(0, 1, 4, 5, 11), "t", "v", "5m", ALL[:7])
    assert rows == [
        {"window_start": START, "window_end": START + timedelta(minutes=5), "count": 3,
         "avg": 5 / 3, "sum": 5.0, "min": 0.0, "max": 4.0, "first": 0.0, "last": 4.0},
        {"window_start": START + timedelta(minutes=5), "window_end": START + timedelta(minutes=10),
         "count": 1, "avg": 5.0, "sum": 5.0, "min": 5.0, "max": 5.0, "first": 5.0, "last": 5.0},
        {"window_start": START + timedelta(minutes=10), "window_end": START + timedelta(minutes=15),
         "count": 1, "avg": 11.0, "sum": 11.0, "min": 11.0, "max": 11.0, "first": 11.0,
         "last": 11.0},
    ]  # fmt: skip


def test_a_point_at_the_end_opens_its_own_window_or_joins_the_last():
    rows = aggregate_time_series(minutes(0, 5, 10), "t", "v", "5m")
    assert [r["count"] for r in rows] == [1, 1, 1]
    closed = aggregate_time_series(minutes(0, 5, 10), "t", "v", "5m", include_end=True)
    assert [r["count"] for r in closed] == [1, 2]
    alone = aggregate_time_series(minutes(7), "t", "v", "5m", include_end=True)
    assert [(r["window_start"], r["count"]) for r in alone] == [(START + timedelta(minutes=7), 1)]
    bound = aggregate_time_series(
        minutes(0, 5, 10), "t", "v", "5m", end=START + timedelta(minutes=10)
    )
    assert [r["count"] for r in bound] == [1, 1]


def test_each_fill_of_an_empty_window():
    rows = minutes(0, 1, 20)
    for fill, sums, averages in (
        ("none", [1.0, 20.0], [0.5, 20.0]),
        ("null", [1.0, 0.0, 0.0, 0.0, 20.0], [0.5, None, None, None, 20.0]),
        ("previous", [1.0, 0.0, 0.0, 0.0, 20.0], [0.5, 0.5, 0.5, 0.5, 20.0]),
        ("linear", [1.0, 0.0, 0.0, 0.0, 20.0], [0.5, 5.375, 10.25, 15.125, 20.0]),
        ("0", [1.0, 0.0, 0.0, 0.0, 20.0], [0.5, 0.0, 0.0, 0.0, 20.0]),
    ):
        out = aggregate_time_series(rows, "t", "v", "5m", ["sum", "avg", "count"], fill=fill)  # type: ignore[arg-type]
        assert [r["sum"] for r in out] == sums
        assert [r["avg"] for r in out] == pytest.approx(averages)
        assert sum(r["count"] for r in out) == 3


def test_groups_share_one_grid():
    rows = [
        {"t": 0, "v": 1, "host": "b"},
        {"t": 70, "v": 2, "host": "a"},
        {"t": 10, "v": 4, "host": "b"},
        {"t": 75, "v": 6, "host": None},
    ]
    out = aggregate_time_series(rows, "t", "v", "1m", "sum", by="host")
    assert [(r["host"], r["window_start"], r["value"]) for r in out] == [
        (None, 60, 6.0),
        ("a", 60, 2.0),
        ("b", 0, 5.0),
    ]
    filled = aggregate_time_series(rows, "t", "v", "1m", "sum", by=["host"], fill="null")
    assert [(r["host"], r["count"]) for r in filled] == [
        (None, 0), (None, 1), ("a", 0), ("a", 1), ("b", 2), ("b", 0),
    ]  # fmt: skip


def test_integers_do_not_overflow():
    big = [{"t": i, "v": 2**62} for i in range(4)]
    assert aggregate_time_series(big, "t", "v", "1m", "sum")[0]["value"] == 1.8446744073709552e19
    array = (np.arange(4), np.full(4, 2**62))
    assert aggregate_time_series(array, window_size="1m", aggregation="sum")["value"][0] == 2.0**64


def test_rows_without_a_time_are_dropped_and_counted():
    rows = [{"t": None, "v": 1}, {"t": pd.NaT, "v": 2}, {"t": START, "v": 3}]
    out = aggregate_time_series(rows, "t", "v", "1m")
    assert (out.dropped, [r["value"] for r in out]) == (2, [3.0])
    frame = pd.DataFrame({"t": [pd.NaT, pd.Timestamp(START)], "v": [1, 2]})
    assert aggregate_time_series(frame, "t", "v", "1m").attrs["dropped"] == 1
    times = np.array(["NaT", "2024-01-01"], "datetime64[s]")
    assert aggregate_time_series((times, [1, 2]), window_size="1m").dropped == 1


def test_nan_follows_skipna():
    rows = [{"t": 0, "v": 1.0}, {"t": 1, "v": float("nan")}, {"t": 2, "v": None}, {"t": 3, "v": 3}]
    kept = aggregate_time_series(rows, "t", "v", "1m", ["avg", "max", "count"])[0]
    assert (kept["avg"], kept["max"], kept["count"]) == (2.0, 3.0, 2)
    seen = aggregate_time_series(rows, "t", "v", "1m", ["avg", "max", "p95"], skipna=False)[0]
    assert np.isnan([seen["avg"], seen["max"], seen["p95"]]).all()
    assert seen["count"] == 4


def test_p95_is_linear():
    rows = [{"t": i, "v": i} for i in range(1, 21)]
    assert aggregate_time_series(rows, "t", "v", "1m", "p95")[0]["value"] == pytest.approx(19.05)


@pytest.mark.parametrize("data", [[], minutes(1)], ids=["empty", "one row"])
@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({"aggregation": "mode"}, "aggregation"),
        ({"aggregation": []}, "aggregation"),
        ({"window_size": 0}, "window_size"),
        ({"fill": "magic"}, "fill"),
        ({"align": "middle"}, "align"),
        ({"tz": "Mars/Olympus"}, "tz"),
    ],
)
def test_a_wrong_value_is_named_also_on_empty_input(data, how, name):
    with pytest.raises(ValueError, match=f"^{name} must be "):
        aggregate_time_series(data, "t", "v", **how)


def test_a_wrong_type_is_a_type_error():
    wrong: Any = aggregate_time_series
    with pytest.raises(TypeError, match=r"^aggregation must be a name or a list of names, not 5"):
        wrong([], aggregation=5)
    with pytest.raises(TypeError, match=r"^window_size must be text such as"):
        wrong([], window_size=[])
    with pytest.raises(TypeError, match=r"^data must be a list of dicts.* not 7"):
        wrong(7)
    with pytest.raises(TypeError, match=r"^data\[1\] must be a dict, not 3"):
        wrong([{"timestamp": 1, "value": 1}, 3])


def test_a_missing_field_and_a_text_name_their_row():
    with pytest.raises(KeyError, match="no field 'x'"):
        aggregate_time_series(minutes(1), "t", "x", "1m")
    with pytest.raises(KeyError, match="no column 'x' in the frame"):
        aggregate_time_series(pd.DataFrame(minutes(1)), "t", "x", "1m")
    with pytest.raises(TypeError, match=r"v\[0\] must be a number, not '7'"):
        aggregate_time_series([{"t": 1, "v": "7"}], "t", "v", "1m")


def test_naive_and_aware_are_never_mixed():
    mixed = [{"t": START, "v": 1}, {"t": START.replace(tzinfo=UTC), "v": 1}]
    with pytest.raises(TypeError, match="mixed"):
        aggregate_time_series(mixed, "t", "v", "1m")
    with pytest.raises(TypeError, match=r"^start must be naive or aware as the times of the data"):
        aggregate_time_series(minutes(1), "t", "v", "1m", start=START.replace(tzinfo=UTC))
    with pytest.raises(TypeError, match=r"^tz must be omitted for naive times"):
        aggregate_time_series(minutes(1), "t", "v", "1m", tz="UTC")


def test_years_beyond_nanoseconds_are_refused():
    with pytest.raises(ValueError, match="1677"):
        aggregate_time_series([{"t": datetime(2300, 1, 1), "v": 1}], "t", "v", "1m")


def test_nothing_gives_no_windows():
    assert aggregate_time_series([], "t", "v", "1m") == []
    empty = aggregate_time_series([], aggregation=["avg", "count"], output="arrays")
    assert list(empty) == ["window_start", "window_end", "count", "avg"]


def test_too_many_windows_are_refused_before_memory_is_taken():
    tracemalloc.start()
    with pytest.raises(ValueError, match="max_windows"):
        aggregate_time_series(
            (np.array([0, 2**33], "datetime64[s]"), [1, 2]), window_size="1s", fill="null"
        )
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@settings(max_examples=50, deadline=None)
@given(
    at=st.lists(st.integers(0, 3600), min_size=1, max_size=60),
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from(["7s", "1m", "13m", "1h"]),
)
def test_equal_to_pandas_and_polars(at, seed, size):
    random = np.random.default_rng(seed)
    times = np.datetime64("2024-02-28T23:30", "ns") + np.array(at, "timedelta64[s]")
    values = random.normal(50, 20, len(at)).round(3)
    order = np.argsort(times, kind="stable")
    kinds = [k for k in ALL if k not in {"first", "last"}]
    ours = aggregate_time_series(
        (times, values), window_size=size, aggregation=kinds, align="epoch"
    )
    frame = pd.DataFrame({"t": times[order], "v": values[order]}).set_index("t")
    buckets = frame.resample(size.replace("m", "min"), origin="epoch")["v"]
    theirs = pd.DataFrame(
        {"avg": buckets.mean(), "sum": buckets.sum(), "min": buckets.min(), "max": buckets.max(),
         "count": buckets.count(), "std": buckets.std(), "median": buckets.median(),
         "p50": buckets.quantile(0.5), "p95": buckets.quantile(0.95), "p99": buckets.quantile(0.99)}
    ).query("count > 0")  # fmt: skip
    assert ours["window_start"].tolist() == theirs.index.values.astype("datetime64[ns]").tolist()  # noqa: PD011
    for kind in kinds:
        np.testing.assert_allclose(ours[kind], theirs[kind], rtol=1e-9, atol=1e-9)
    polars = (
        pl.DataFrame({"t": times[order], "v": values[order]})
        .group_by_dynamic("t", every=size)
        .agg(pl.col("v").mean().alias("avg"), pl.col("v").max().alias("max"))
    )
    np.testing.assert_allclose(ours["avg"], polars["avg"], rtol=1e-9, atol=1e-9)
    assert ours["max"].tolist() == polars["max"].to_list()
    assert ours["count"].sum() == len(at)


@settings(max_examples=50, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.integers(0, 300), st.one_of(st.none(), st.floats(-100, 100))), max_size=40
    ),
    seed=st.randoms(use_true_random=False),
    fill=st.sampled_from(["none", "null", "previous", "linear", "0"]),
    closed=st.booleans(),
)
def test_order_does_not_matter_and_the_compiled_path_agrees(points, seed, fill, closed):
    def run(rows, **how):
        columns = [t for t, _ in rows], [v for _, v in rows]
        return aggregate_time_series(
            columns, window_size=17, aggregation=ALL[:5], fill=fill, include_end=closed, **how
        )

    mixed = list(points)
    seed.shuffle(mixed)
    plain = run(sorted(points, key=lambda p: p[0]), fast=False)
    for other in (run(mixed, fast=False), run(mixed, fast=True)):
        for name, column in plain.items():
            np.testing.assert_allclose(other[name], column, rtol=1e-12, atol=1e-12)
    if points:
        known = sum(v is not None for _, v in points)
        assert int(np.sum(plain["count"])) == known


@settings(max_examples=50, deadline=None)
@given(
    gaps=st.lists(st.integers(0, 400), min_size=1, max_size=300),
    piece=st.integers(1, 400),
    closed=st.booleans(),
)
def test_pieces_that_fit_the_cache_change_no_bit(gaps, piece, closed):
    at, values = np.cumsum(gaps), np.sin(np.arange(len(gaps)) * 7.0)
    request: Any = {"window_size": 60, "aggregation": ALL, "include_end": closed, "fast": False}
    whole = aggregate_time_series((at, values), **request)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.timeseries._kernels.runs.PIECE", piece)
        in_pieces = aggregate_time_series((at, values), **request)
    assert whole.keys() == in_pieces.keys()
    for name, column in whole.items():
        np.testing.assert_array_equal(column, in_pieces[name])


def test_ties_for_first_and_last_do_not_depend_on_order():
    one = aggregate_time_series([(0, 5.0), (0, 3.0), (9, 1.0), (9, 2.0)], window_size=60,
                                aggregation=["first", "last"])  # fmt: skip
    two = aggregate_time_series([(9, 2.0), (0, 3.0), (9, 1.0), (0, 5.0)], window_size=60,
                                aggregation=["first", "last"])  # fmt: skip
    assert one["first"] == two["first"] == [3.0]
    assert one["last"] == two["last"] == [2.0]


def test_calendar_days_over_a_clock_change():
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2024, 3, 30, tzinfo=zone)
    rows = [{"t": (start.astimezone(UTC) + timedelta(hours=h)), "v": 1} for h in range(71)]
    days = aggregate_time_series(rows, "t", "v", "1d", "count", tz="Europe/Berlin")
    assert [r["count"] for r in days] == [24, 23, 24]
    assert days[1]["window_start"] == datetime(2024, 3, 31, tzinfo=zone)
    assert days[1]["window_start"].utcoffset() == timedelta(hours=1)
    assert days[1]["window_end"].utcoffset() == timedelta(hours=2)
    fixed = aggregate_time_series(rows, "t", "v", "24h", "count", tz="Europe/Berlin")
    assert [r["count"] for r in fixed] == [24, 24, 23]


def test_every_form_in_and_out():
    aware = [START.replace(tzinfo=UTC) + timedelta(seconds=i) for i in range(3)]
    pandas = pd.DataFrame({"t": aware, "v": [1, 2, 3]})
    polars = pl.DataFrame({"t": aware, "v": [1, 2, 3]})
    records = [{"t": t, "v": v} for t, v in zip(aware, [1, 2, 3], strict=True)]
    series = TimeSeries.of(records, "t", "v")
    for data in (pandas, polars, records, {"t": aware, "v": [1, 2, 3]}, pandas.set_index("t")):
        out = aggregate_time_series(data, "t", "v", "2s", output="records")
        assert [(r["window_start"], r["value"]) for r in out] == [(aware[0], 1.5), (aware[2], 3.0)]
    assert isinstance(aggregate_time_series(pandas, "t", "v", "2s"), pd.DataFrame)
    frame = aggregate_time_series(polars, "t", "v", "2s")
    assert isinstance(frame, pl.DataFrame)
    assert frame["window_start"].to_list() == [aware[0], aware[2]]
    out = aggregate_time_series(series, window_size="2s", output="series")
    assert out == TimeSeries([aware[0], aware[2]], [1.5, 3.0])
    with pytest.raises(ValueError, match="output"):
        aggregate_time_series(series, window_size="2s", output="xml")  # type: ignore[arg-type]
