"""ClickHouse gives the local answers, and hostile names stay names.

Runs on the embedded engine: the same SQL as on a server, through the same client.
"""

import datetime as dt
from functools import partial
from typing import Any

import clickhouse_connect
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared import timeseries as ts

AGGREGATIONS = ["avg", "sum", "min", "max", "count", "first", "last", "std", "median", "p95"]
T0 = 1_711_839_600  # 2024-03-30 23:00 UTC: the clocks of Berlin change within the hour after next


@pytest.fixture(scope="module")
def client():
    with clickhouse_connect.get_client(dsn="chdb://memory") as found:
        yield found


@pytest.fixture
def load(client):
    def put(rows):
        client.command("DROP TABLE IF EXISTS points")
        client.command(
            "CREATE TABLE points (at Nullable(DateTime64(9, 'UTC')), v Nullable(Float64), "
            "host LowCardinality(Nullable(String))) ENGINE = MergeTree ORDER BY tuple()"
        )
        if rows:
            cells = ", ".join(
                f"(fromUnixTimestamp64Nano({int(t * 10**9)}, 'UTC'), "
                f"{'NULL' if v is None else repr(float(v))}, {'NULL' if h is None else repr(h)})"
                for t, v, h in rows
            )
            client.command(f"INSERT INTO points VALUES {cells}")

    return put


points = st.lists(
    st.tuples(
        st.integers(T0, T0 + 6 * 3600),
        st.one_of(st.none(), st.integers(-50, 50).map(lambda n: n / 4)),
        st.sampled_from(["a", "b", None]),
    ),
    max_size=40,
)
modest = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def columns(rows):
    return {
        "at": [dt.datetime.fromtimestamp(t, dt.UTC) for t, _, _ in rows],
        "v": [v for _, v, _ in rows],
        "host": [h for _, _, h in rows],
    }


def same(ours, theirs):
    assert list(ours) == list(theirs)
    for name, column in ours.items():
        other = theirs[name]
        if isinstance(column, list):
            assert column == list(other)
        elif column.dtype.kind == "f":
            np.testing.assert_allclose(column, other, rtol=1e-9, atol=1e-9)
        else:
            assert column.tolist() == other.tolist(), name


@modest
@given(
    rows=points,
    by=st.sampled_from([None, "host"]),
    size=st.sampled_from(["7m", "1h", "1d"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
    fill=st.sampled_from(["none", "null", "previous", "linear", "0"]),
    align=st.sampled_from(["start", "epoch", "calendar"]),
    closed=st.booleans(),
    skipna=st.booleans(),
)
@example(
    rows=[(T0, None, "a"), (T0, 0.0, "a")], by=None, size="1h", zone="UTC", fill="none",
    align="start", closed=False, skipna=False,
)  # fmt: skip
def test_windows_are_the_local_ones(
    client, load, rows, by, size, zone, fill, align, closed, skipna
):
    load(rows)
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v", by=by, tz=zone)
    how = {"fill": fill, "align": align, "include_end": closed, "skipna": skipna}
    local = ts.aggregate_time_series(
        columns(rows), "at", "v", size, AGGREGATIONS, by=by, tz=zone, **how
    )
    same(local, remote.aggregate_time_series(size, AGGREGATIONS, **how))


T0_TIME = dt.datetime.fromtimestamp(T0, dt.UTC)
NOON = dt.datetime.fromtimestamp(T0 + 3600, dt.UTC)
CALLS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "aggregate": ("aggregate_time_series", ("20m", ["sum", "p95"]), {}),
    "part of the range": (
        "aggregate_time_series",
        ("20m",),
        {"start": NOON, "end": NOON + dt.timedelta(hours=2)},
    ),
    "its end too": (
        "aggregate_time_series",
        ("20m",),
        {"start": NOON, "end": NOON + dt.timedelta(hours=2), "include_end": True},
    ),
    "closed on the right": (
        "aggregate_time_series",
        ("20m",),
        {"start": NOON, "end": NOON + dt.timedelta(hours=2), "closed": "right", "fill": "0"},
    ),
    "closed on the right, all": ("aggregate_time_series", ("1h",), {"closed": "right"}),
    "days closed on the right": (
        "aggregate_time_series",
        ("1d",),
        {"closed": "right", "align": "calendar", "tz": "Europe/Berlin"},
    ),
    "shifted": ("aggregate_time_series", ("1h",), {"align": "epoch", "offset": "-7m"}),
    "shifted days": (
        "aggregate_time_series",
        ("1d",),
        {"align": "calendar", "offset": "2h", "tz": "Europe/Berlin"},
    ),
    "resample": ("resample", ("30m", "max"), {"closed": "right", "label": "right"}),
    "resample in a zone": ("resample", ("1d",), {"tz": "Asia/Kathmandu", "align": "calendar"}),
    "rates": ("calculate_rate_of_change", (), {"per": "1m"}),
    "windows of promql": ("counter_rate", (), {"window_size": "1h", "mode": "promql"}),
    "windows of a range": (
        "counter_increase",
        (),
        {"window_size": "1h", "mode": "promql", "start": NOON, "end": NOON + dt.timedelta(hours=3)},
    ),
    "gaps": ("fill_gaps", ("10m",), {"method": "linear"}),
    "gaps of the median": ("fill_gaps", (), {"method": "previous"}),
}


@pytest.mark.parametrize("by", [None, "host", ["host"]], ids=str)
@pytest.mark.parametrize("call", CALLS)
def test_methods_have_the_arguments_of_the_local_functions(client, load, call, by):
    name, args, how = CALLS[call]
    # Many points stand on an edge, no two at one time.
    steps = np.random.default_rng(4).permutation(72)[:50]
    rows = [(T0 + int(s) * 300, float(s * s % 23), "ab"[s % 2]) for s in steps]
    load(rows)
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v")
    local = getattr(ts, name)(columns(rows), "at", "v", *args, by=by, **how)
    found = getattr(remote, name)(*args, by=by, **how)
    if name == "fill_gaps":
        local = {n: c if isinstance(c, list) else np.asarray(c) for n, c in local.items()}
    same(local, found)


def test_counters_of_a_part_and_percentiles_by_call(client, load):
    rows = [(T0 + 300 * i, float(i), "ab"[i % 2]) for i in range(40)]
    load(rows)
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v")
    how = {"start": NOON, "end": NOON + dt.timedelta(hours=1)}
    for mode in ("plain", "promql"):
        for by in (None, "host"):
            for name in ("counter_increase", "counter_rate"):
                local = getattr(ts, name)(columns(rows), "at", "v", by=by, mode=mode, **how)
                assert getattr(remote, name)(by=by, mode=mode, **how) == pytest.approx(local)
    assert np.asarray(remote.calculate_percentile([50, 95])).tolist() == pytest.approx(
        [19.5, 37.05]
    )
    assert remote.calculate_percentile(50, by="host") == {"a": 19.0, "b": 20.0}
    assert remote.rolling(3, by="host")["mean"].tolist()[2] == 2.0
    found = remote.detect_anomalies(1.5, by="host", details=True)
    np.testing.assert_allclose(found["upper"] - found["expected"], 1.5 * found["scale"])
    with pytest.raises(KeyError, match="no column 'rack'"):
        remote.aggregate_time_series("1h", by="rack")
    with pytest.raises(ValueError, match="more than max_windows=3"):
        remote.fill_gaps("1s", max_windows=3)
    with pytest.raises(ValueError, match="end must be at or after start"):
        remote.counter_increase(start=NOON, end=T0_TIME)


@modest
@given(rows=points, by=st.sampled_from([None, "host"]), mode=st.sampled_from(["plain", "promql"]))
def test_counters_and_rates(client, load, rows, by, mode):
    rows = [(t, v if v is None else abs(v), h) for t, v, h in rows]
    load(rows)
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v", by=by)
    data = columns(rows)
    for name in ("counter_increase", "counter_rate"):
        local = getattr(ts, name)(data, "at", "v", by=by, mode=mode)
        other = getattr(remote, name)(mode=mode)
        if by:
            known = {k: v for k, v in local.items() if v == v}  # noqa: PLR0124
            assert {k: v for k, v in other.items() if v == v} == pytest.approx(known)  # noqa: PLR0124
        else:
            assert other == pytest.approx(local, nan_ok=True)
        windows = getattr(ts, name)(data, "at", "v", by=by, mode=mode, window_size="20m")
        same(windows, getattr(remote, name)(mode=mode, window_size="20m"))
    local = ts.calculate_rate_of_change(data, "at", "v", by=by, per="1m")
    same(local, remote.calculate_rate_of_change(per="1m"))


@modest
@given(
    rows=points,
    by=st.sampled_from([None, "host"]),
    method=st.sampled_from(["null", "previous", "linear", "0"]),
)
def test_gaps_percentiles_and_resampling(client, load, rows, by, method):
    load(rows)
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v", by=by)
    data = columns(rows)
    local = ts.fill_gaps(data, "at", "v", "13m", method=method, by=by)
    other = remote.fill_gaps("13m", method=method)
    order = [np.lexsort((s["v"], s["at"])) for s in (local, other)]
    if not by:
        for s, o in zip((local, other), order, strict=True):
            s["at"], s["v"] = s["at"][o], s["v"][o]
    same(local, other)
    same(
        ts.resample(data, "at", "v", "10m", fill=method, by=by),
        remote.resample("10m", fill=method),
    )
    if by:
        return
    if all(v is None for v in data["v"]):
        for calculate in (remote.calculate_percentile, partial(ts.calculate_percentile, data["v"])):
            with pytest.raises(ValueError, match="at least one number"):
                calculate(95)
    else:
        assert remote.calculate_percentile(95) == pytest.approx(
            ts.calculate_percentile(data["v"], 95)
        )


@modest
@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 40)), max_size=60),
    stat=st.sampled_from(
        ["mean", "sum", "min", "max", "std", "count", "median", "mad", "p90", "zscore"]
    ),
    window=st.integers(1, 9),
)
def test_rolling_is_the_local_one(client, load, values, stat, window):
    load([(T0 + i, v, None) for i, v in enumerate(values)])
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v")
    numbers = np.array([np.nan if v is None else v for v in values], float)
    for least in (None, 1):
        local = ts.rolling(numbers, window, stat, min_periods=least)
        np.testing.assert_allclose(
            remote.rolling(window, stat, min_periods=least)[stat], local, rtol=1e-9, atol=1e-9
        )


@modest
@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 9), st.just(500)), max_size=60),
    method=st.sampled_from(["zscore", "mad", "iqr", "rolling_zscore", "rolling_mad"]),
    threshold=st.sampled_from([2.0, 3.5]),
    groups=st.booleans(),
)
def test_anomalies_are_the_local_ones(client, load, values, method, threshold, groups):
    rows = [(T0 + i, v, ["a", None][i % 2] if groups else "a") for i, v in enumerate(values)]
    load(rows)
    remote = ts.ClickHouseSeries(
        client, "points", time="at", value="v", by="host" if groups else None
    )
    found = remote.detect_anomalies(threshold, method, window=10)
    expected = []
    for key in [None, "a"] if groups else ["a"]:
        mine = [(t, v) for t, v, h in rows if h == key]
        local = ts.detect_anomalies(
            [v for _, v in mine], threshold, method, window=10, details=True
        )
        expected += [(mine[i][0], local.scores[i]) for i in local.indices]
    assert (found["at"].astype(np.int64) // 10**9).tolist() == [t for t, _ in expected]
    np.testing.assert_allclose(found["score"], [s for _, s in expected], rtol=1e-7)


@modest
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(0, 300),
    n=st.integers(3, 50),
    method=st.sampled_from(["lttb", "minmax", "minmaxlttb", "mean"]),
)
@example(seed=0, size=182, n=44, method="minmaxlttb")  # two points more than are candidates
@example(seed=2156, size=118, n=25, method="lttb")  # the last bucket has two points
def test_the_same_points_are_chosen(client, load, seed, size, n, method):
    random = np.random.default_rng(seed)
    at = np.sort(random.choice(20_000, size, replace=False)) + T0
    values = random.normal(size=size).cumsum()
    values[random.random(size) < 0.05] = np.nan
    load([(int(t), None if v != v else v, None) for t, v in zip(at, values, strict=True)])  # noqa: PLR0124
    local = ts.downsample(ts.TimeSeries(at, values, unit="s"), n=n, method=method, output="series")
    other = ts.ClickHouseSeries(client, "points", time="at", value="v").downsample(n, method)
    assert other.times.tolist() == local.times.tolist()
    np.testing.assert_allclose(other.values, local.values)


def test_p95_is_linear_and_the_query_is_shown(client, load):
    load([(T0 + i, i, None) for i in range(1, 21)])
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v")
    assert remote.calculate_percentile(95) == pytest.approx(19.05)
    assert "quantileExactInclusive(0.95)" in remote.sql()
    assert "stddevSampStable" in remote.sql("aggregate_time_series", "1m", "std")
    with pytest.raises(ValueError, match=r"method must be .*, not '_run'"):
        remote.sql("_run")


def test_calendar_days_over_a_clock_change(client, load):
    load([(T0 + 900 * i, 1, None) for i in range(4 * 60)])
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v", tz="Europe/Berlin")
    days = remote.aggregate_time_series("1d", "count", output="records")
    assert [r["count"] for r in days] == [92, 96, 52]
    assert days[0]["window_start"].isoformat() == "2024-03-31T00:00:00+01:00"
    assert days[0]["window_end"].isoformat() == "2024-04-01T00:00:00+02:00"


def test_a_parquet_file_is_read_where_it_lies(client, tmp_path):
    """A million points that never enter Python: a view over a file that the engine wrote."""
    file = str(tmp_path / "points.parquet")
    client.command(
        f"INSERT INTO FUNCTION file('{file}', Parquet) SELECT "
        f"toDateTime64({T0} + number / 100, 3, 'UTC') AS timestamp, number % 7 AS value, "
        "if(number % 3 = 0, 'a', 'b') AS host FROM numbers(1000000)"
    )
    client.command(f"CREATE OR REPLACE VIEW stored AS SELECT * FROM file('{file}', Parquet)")
    remote = ts.ClickHouseSeries(client, "stored", by="host", tz="UTC")
    minutes = remote.aggregate_time_series("1m", ["avg", "count", "max"])
    assert minutes["count"].sum() == 1_000_000
    assert (minutes["count"] <= 4000).all()
    number = np.arange(1_000_000)
    local = ts.aggregate_time_series(
        {
            "timestamp": (T0 * 1000 + number * 10).astype("datetime64[ms]"),
            "value": number % 7,
            "host": np.where(number % 3 == 0, "a", "b"),
        },
        window_size="1m", aggregation=["avg", "count", "max"], by="host",
    )  # fmt: skip
    same(
        {n: c for n, c in local.items() if n != "host"},
        {n: c for n, c in minutes.items() if n != "host"},
    )
    assert len(ts.ClickHouseSeries(client, "stored").downsample(100, "minmaxlttb")) == 100


def test_nanoseconds_bounds_and_rows_without_a_time(client):
    client.command("CREATE OR REPLACE TABLE fine (n Nullable(Int64), v Int8) ENGINE = Memory")
    client.command("INSERT INTO fine VALUES (1, 1), (2, 2), (3, 3), (NULL, 9), (1000000000, 4)")
    remote = ts.ClickHouseSeries(client, "fine", time="n", value="v", unit="ns", start=2, end=1000)
    out = remote.aggregate_time_series("1ns", "sum")
    assert out["window_start"].tolist() == [2, 3]
    assert out.dropped == 1
    assert remote.aggregate_time_series("1ns", "sum", output="pandas").attrs["dropped"] == 1


HOSTILE = [
    "a`; DROP TABLE kept; --",
    "a'b\"c\\",
    "\\`x",
    "{x:Identifier}",
    "%(x)s %s",
    "ns",
    "v",
    "g0",
    "t",
    "line\nbreak",
    "ключ 🔑",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_names(client, name):
    from shared.timeseries._clickhouse.sql import quote

    client.command("CREATE OR REPLACE TABLE kept (x Int8) ENGINE = Memory")
    table = name.strip("{}")  # the embedded engine takes braces in a table's name for a file glob
    other = "ns" if name != "ns" else "v"
    client.command(
        f"CREATE OR REPLACE TABLE {quote(table)} ({quote(name)} DateTime, {quote(other)} Float64, "
        f"{quote(name + '2')} String) ENGINE = Memory"
    )
    client.command(f"INSERT INTO {quote(table)} VALUES (60, 1.5, 'it''s `; --'), (61, 2.5, '\\\\')")
    remote = ts.ClickHouseSeries(
        client, table, time=name, value=other, by=name + "2", database="default"
    )
    rows = remote.aggregate_time_series("1m", output="records")
    assert [(r[name + "2"], r["value"]) for r in rows] == [("\\", 2.5), ("it's `; --", 1.5)]
    assert remote.counter_rate() == pytest.approx({"\\": np.nan, "it's `; --": np.nan}, nan_ok=True)
    assert len(remote.detect_anomalies()["score"]) == 0
    assert remote.rolling(1, "mean")["mean"].tolist() == [2.5, 1.5]
    assert client.query("EXISTS TABLE kept").result_rows == [(1,)]
    client.command(f"DROP TABLE {quote(table)}")


@pytest.mark.parametrize(
    ("table", "columns", "kind", "match"),
    [
        ("points", {"time": "at", "value": "nope"}, KeyError, "no column 'nope'"),
        ("points", {"time": "host", "value": "v"}, TypeError, "time must be a column of times"),
        ("", {}, ValueError, "an identifier must be a name that is not empty"),
        ("points", {"time": "at", "value": "v", "unit": "min"}, ValueError, "unit must be one of"),
        ("points", {"time": "at", "tz": "Mars"}, ValueError, "tz must be the name of a time zone"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(client, load, table, columns, kind, match):
    load([(T0, 1, "a")])
    with pytest.raises(kind, match=match):
        ts.ClickHouseSeries(client, table, **columns)


@pytest.mark.parametrize(
    ("method", "arguments", "match"),
    [
        ("aggregate_time_series", ("1m", "mode"), "aggregation must be"),
        ("aggregate_time_series", (0,), "window_size must be"),
        ("detect_anomalies", (2.0, "esd"), "method must be"),
        ("downsample", (2,), "n must be a whole number of at least 3, not 2"),
        ("fill_gaps", ("1d",), "every must be a duration"),
        ("rolling", (0,), "window must be"),
        ("calculate_percentile", (101,), "q must be from 0 to 100, not 101"),
    ],
)
def test_a_wrong_argument_is_named_as_by_the_local_function(client, load, method, arguments, match):
    load([(T0, 1, "a")])
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v")
    with pytest.raises(ValueError, match=match):
        getattr(remote, method)(*arguments)


def test_an_unknown_mode_of_counters_is_refused(client, load):
    load([(T0, 1, "a")])
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v")
    with pytest.raises(ValueError, match="mode must be one of 'plain', 'promql', not 'x'"):
        remote.counter_rate(mode="x")  # type: ignore[arg-type]


def test_what_pandas_shows_is_aware(client, load):
    load([(T0, 1, "a")])
    remote = ts.ClickHouseSeries(client, "points", time="at", value="v", tz="Asia/Tokyo")
    frame = remote.aggregate_time_series("1m", output="pandas")
    assert frame["window_start"][0] == pd.Timestamp(T0, unit="s", tz="UTC")
    assert str(frame["window_start"].dt.tz) == "Asia/Tokyo"
