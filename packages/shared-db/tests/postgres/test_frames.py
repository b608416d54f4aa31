"""COPY of frames."""

import datetime as dt
import math
from typing import Any

import pandas as pd
import polars as pl
import pytest

from shared.db import (
    BadRow,
)


@pytest.fixture
def wide(db):
    db.postgres.execute(
        "DROP TABLE IF EXISTS wide; DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('good', 'bad')"
    )
    db.postgres.execute(
        "CREATE TABLE wide (i int, b bigint, f float8, r real, n numeric, t text, y bytea, at timestamptz,"
        " d date, a int[], s text[], m mood, j jsonb, u uuid, o bool)"
    )
    yield "wide"
    db.postgres.execute("DROP TABLE wide; DROP TYPE mood")


def test_whole_reals_of_a_frame_fit_integers(db, wide):
    frame = pd.DataFrame({"i": [1, None], "b": [2.0**40, -1.0], "f": [1, None]})
    assert db.postgres.copy_frame(wide, frame) == 2
    rows = db.postgres.execute("SELECT i, b, f FROM wide")
    assert rows == [(1, 2**40, 1.0), (None, -1, None)]
    with pytest.raises(BadRow, match=r"row 2: column i cannot hold this float"):
        db.postgres.copy_frame(wide, pd.DataFrame({"i": [1, 0.5]}))


def test_a_pandas_frame(db, wide):
    at: Any = ["2024-01-01T00:00:00.123456Z", None]
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype="Int64"),
            "f": [1.5, float("nan")],
            "t": ["x", None],
            "at": pd.to_datetime(at),
            "m": pd.Categorical(["good", "bad"]),
            "a": [[1, 2], None],
        }
    )
    assert db.postgres.copy_frame(wide, frame) == 2
    moment = dt.datetime(2024, 1, 1, 0, 0, 0, 123456, tzinfo=dt.UTC)
    assert db.postgres.execute("SELECT i, f, t, at, m, a FROM wide") == [
        (1, 1.5, "x", moment, "good", [1, 2]),
        (None, None, None, None, "bad", None),
    ]


def test_a_polars_frame(db, wide):
    frame = pl.DataFrame({"f": [math.nan, None, math.inf], "s": [["a"], None, []]})
    assert db.postgres.copy_frame(wide, frame) == 3
    (first, second, third) = db.postgres.execute("SELECT f, s FROM wide")
    assert math.isnan(first[0])
    assert (first[1], second, third) == (["a"], (None, None), (math.inf, []))


def test_what_is_not_a_frame_is_refused(db, wide):
    with pytest.raises(TypeError, match=r"frame must be a frame of pandas, .*list"):
        db.postgres.copy_frame(wide, [1])
