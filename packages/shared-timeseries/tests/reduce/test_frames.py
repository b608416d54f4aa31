"""Answers equal to those of pandas and polars over untidy series.

Random series with gaps, equal times, unknown values, counter restarts, several groups and time
zones, in random order of rows.
"""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import timeseries as ts

PLAIN = ["avg", "sum", "min", "max", "count", "std", "median", "p95"]
ENDS = ["first", "last"]
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Africa/Casablanca", "America/St_Johns",
]  # fmt: skip
# Clocks change in each: spring and autumn, north and south, a leap day, before 1970.
BEGINS = [
    dt.datetime(2024, 3, 29, 22, 30, tzinfo=dt.UTC), dt.datetime(2024, 10, 26, tzinfo=dt.UTC),
    dt.datetime(2024, 4, 5, 9, tzinfo=dt.UTC), dt.datetime(2023, 11, 4, tzinfo=dt.UTC),
    dt.datetime(2024, 2, 28, 12, tzinfo=dt.UTC), dt.datetime(1968, 10, 26, tzinfo=dt.UTC),
]  # fmt: skip
SIZES = {"90s": "90s", "7m": "7min", "1h": "1h", "1d": "1D", "1w": "W-MON", "1mo": "MS"}
CALENDAR = ("1d", "1w", "1mo")
modest = settings(max_examples=12, deadline=None)


def untidy(seed, size, begin=BEGINS[0], hours=60.0):
    """Rows of time, value and host; clusters of points with long holes between them."""
    random = np.random.default_rng(seed)
    centers = random.uniform(0, hours * 3600, 1 + size // 12)
    seconds = np.abs(random.choice(centers, size) + random.normal(0, 400, size)).astype(np.int64)
    seconds[random.random(size) < 0.2] //= 600  # on top of each other
    values = random.normal(50, 20, size).round(2)
    values[random.random(size) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "at": pd.DatetimeIndex([begin]).as_unit("ns")[0] + pd.to_timedelta(seconds, unit="s"),
            "v": values,
            "host": random.choice(["a", "b", "c"], size),
        }
    )


rows = st.builds(
    untidy, seed=st.integers(0, 2**32 - 1), size=st.integers(1, 150), begin=st.sampled_from(BEGINS)
)


def same(ours, theirs):
    """Equal columns; windows by their instants."""
    assert ours["host"].tolist() == theirs["host"].tolist()
    assert instants(ours["window_start"]) == instants(theirs["window_start"])
    for name in set(PLAIN + ENDS) & set(theirs.columns):
        np.testing.assert_allclose(
            ours[name].astype(float), theirs[name].astype(float), rtol=1e-9, atol=1e-9, err_msg=name
        )


def instants(column):
    return [pd.Timestamp(time).timestamp() for time in column]


@modest
@given(frame=rows, zone=st.sampled_from(ZONES), size=st.sampled_from(list(SIZES)))
def test_windows_of_groups_are_those_of_pandas(frame, zone, size):
    frame["at"] = frame["at"].dt.tz_convert(zone)
    ours = ts.aggregate_time_series(
        frame, "at", "v", size, PLAIN + ENDS, by="host", align="epoch", tz=zone, output="pandas"
    )
    ordered = frame.dropna().sort_values(["at", "v"]).set_index("at")
    epoch = pd.Timestamp(0, tz=zone)  # pandas' own "epoch" is local
    how = {"label": "left", "closed": "left"} if size in CALENDAR else {"origin": epoch}
    parts = []
    for host, part in ordered.groupby("host"):
        buckets = part["v"].resample(SIZES[size], **how)
        found = buckets.agg(
            ["mean", "sum", "min", "max", "count", "std", "median", "first", "last"]
        )
        found["p95"] = buckets.quantile(0.95)
        parts.append(found[found["count"] > 0].rename(columns={"mean": "avg"}).assign(host=host))
    if not parts:
        assert not len(ours)
        return
    theirs = pd.concat(parts)
    theirs.index.name = "window_start"
    same(ours, theirs.reset_index())


@modest
@given(frame=rows, zone=st.sampled_from(ZONES), size=st.sampled_from(list(SIZES)))
def test_windows_of_groups_are_those_of_polars(frame, zone, size):
    zone = zone if size in CALENDAR else "UTC"  # polars counts durations on the wall clock too
    data = pl.from_pandas(frame).with_columns(
        pl.col("at").dt.convert_time_zone(zone), pl.col("v").fill_nan(None)
    )
    ours = ts.aggregate_time_series(
        data, "at", "v", size, PLAIN + ENDS, by="host", align="epoch", output="polars"
    )
    v = pl.col("v")
    theirs = (
        data.drop_nulls()
        .sort("host", "at", "v")
        .group_by_dynamic("at", every=size, group_by="host")
        .agg(
            v.mean().alias("avg"), v.sum().alias("sum"), v.min().alias("min"), v.max().alias("max"),
            v.count().alias("count"), v.std().alias("std"), v.median().alias("median"),
            v.quantile(0.95, "linear").alias("p95"), v.first().alias("first"),
            v.last().alias("last"),
        )
        .sort("host", "at")
    )  # fmt: skip
    assert ours.schema["window_start"] == pl.Datetime("ns", zone)
    same(ours.to_pandas(), theirs.rename({"at": "window_start"}).to_pandas())


@modest
@given(frame=rows, restarts=st.floats(0, 0.5))
def test_counters_are_those_of_polars(frame, restarts):
    random = np.random.default_rng(len(frame))
    frame = frame.sort_values(["at", "v"]).reset_index(drop=True)
    grown = random.integers(0, 9, len(frame)).cumsum()
    frame["v"] = np.where(random.random(len(frame)) < restarts, grown % 7, grown).astype(float)
    frame.loc[random.random(len(frame)) < 0.1, "v"] = np.nan
    by_host = pl.col("at", "v").diff().over("host").name.prefix("d_")
    steps = (
        pl.from_pandas(frame, nan_to_null=True).drop_nulls().sort("host", "at", "v")
        .with_columns(by_host)
        .with_columns(
            pl.when(pl.col("d_v") < 0).then("v").otherwise("d_v").alias("grown"),
            pl.col("d_at").dt.total_nanoseconds() / 1e9,
        )
    )  # fmt: skip
    whole = steps.group_by("host").agg(pl.col("grown").sum(), pl.col("grown").count().alias("n"))
    expected = {host: grown if n else np.nan for host, grown, n in whole.iter_rows()}
    ours = ts.counter_increase(frame.sample(frac=1, random_state=1), "at", "v", by="host")
    assert {h: g for h, g in ours.items() if h in expected} == pytest.approx(expected, nan_ok=True)
    windows = (
        steps.group_by_dynamic("at", every="7m", group_by="host")
        .agg(pl.col("grown").sum(), pl.col("d_at").sum(), pl.col("d_at").count().alias("n"))
        .sort("host", "at")
    )
    grown = windows["grown"].to_numpy() * 1.0
    grown[windows["n"].to_numpy() == 0] = np.nan
    took = windows["d_at"].to_numpy().copy()
    for name, values in (
        ("counter_increase", grown),
        ("counter_rate", grown / np.where(took > 0, took, np.nan)),
    ):
        found = getattr(ts, name)(
            frame, "at", "v", by="host", window_size="7m", align="epoch", output="pandas"
        )
        assert instants(found["window_start"]) == instants(windows["at"].to_list())
        np.testing.assert_allclose(found["value"], values, rtol=1e-9)


@modest
@given(frame=rows)
def test_rates_of_change_are_those_of_pandas(frame):
    ordered = frame.dropna().sort_values(["host", "at", "v"])
    steps = ordered.groupby("host")[["at", "v"]].diff()
    seconds = steps["at"].dt.total_seconds().replace(0, np.nan)
    expected = (steps["v"] / seconds)[steps["v"].notna()]
    found = ts.calculate_rate_of_change(frame, "at", "v", by="host")
    np.testing.assert_allclose(found["rate"], expected, rtol=1e-9)
    assert found["at"].tolist() == ordered.loc[expected.index, "at"].tolist()


@modest
@given(
    frame=rows,
    fill=st.sampled_from(["null", "previous", "linear", "0"]),
    zone=st.sampled_from(ZONES),
    size=st.sampled_from(["7m", "1h", "1d"]),
)
def test_resampling_is_that_of_pandas(frame, fill, zone, size):
    frame = frame.dropna().copy()
    if not len(frame):
        return
    frame["at"] = frame["at"].dt.tz_convert(zone)
    found = ts.resample(frame, "at", "v", size, fill=fill, tz=zone)
    how = {} if size in CALENDAR else {"origin": pd.Timestamp(0, tz=zone)}
    means = frame.set_index("at")["v"].sort_index().resample(SIZES[size], **how).mean()
    theirs = {
        "null": lambda: means,
        "previous": means.ffill,
        "linear": lambda: means.interpolate("time"),
        "0": lambda: means.fillna(0),
    }[fill]()
    assert instants(found["at"]) == instants(theirs.index)
    np.testing.assert_allclose(found["v"], theirs, rtol=1e-9, atol=1e-9)


@modest
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(2, 80),
    method=st.sampled_from(["null", "previous", "linear", "0"]),
)
def test_gaps_of_a_grid_are_filled_as_in_pandas(seed, size, method):
    random = np.random.default_rng(seed)
    kept = np.unique(np.append(random.choice(size, size // 2 + 1), [0, size - 1]))
    at = pd.Timestamp("2024-02-28T20:00", tz="Europe/Berlin") + pd.to_timedelta(kept, unit="min")
    frame = pd.DataFrame({"at": at, "v": random.normal(size=len(kept))})
    found = ts.fill_gaps(frame, "at", "v", "1m", method=method)
    grid = frame.set_index("at")["v"].asfreq("min")
    theirs = {
        "null": lambda: grid,
        "previous": grid.ffill,
        "linear": lambda: grid.interpolate("time"),
        "0": lambda: grid.fillna(0),
    }[method]()
    assert found["at"].tolist() == theirs.index.tolist()
    np.testing.assert_allclose(found["v"], theirs, rtol=1e-9, atol=1e-12)


@modest
@given(frame=rows, q=st.floats(0, 100))
def test_percentiles_are_linear_as_in_both(frame, q):
    found = ts.calculate_percentile(frame["v"], q)
    assert found == pytest.approx(frame["v"].quantile(q / 100), nan_ok=True)
    known = pl.from_pandas(frame["v"], nan_to_null=True).drop_nulls()
    if len(known):
        assert found == pytest.approx(known.quantile(q / 100, "linear"))
