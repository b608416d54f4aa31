"""COPY: every type, bad rows, and what other libraries give."""

import datetime as dt
import decimal
import enum
import math
import uuid
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.db import (
    BadRow,
)


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


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


def test_every_type_makes_the_round_trip(db, wide):
    now = dt.datetime(
        2024, 2, 29, 23, 59, 59, 123456, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=45))
    )
    rows = [
        (1, -(2**63), 0.1, 0.5, decimal.Decimal("1.2300"), "ünïcode 🎉\n\t\\", b"\0\xff", now, now.date(),
         [1, None, 3], ["a", None, '"'], "good", {"a": [1, None, "ü"]}, uuid.uuid4(), True),
        (None,) * 15,
        (-(2**31), 2**63 - 1, math.inf, -math.inf, decimal.Decimal("NaN"), "", b"", now, now.date(),
         [], [], Mood.BAD, [], uuid.uuid4(), False),
        (0, 0, math.nan, math.nan, 7, "x", memoryview(b"abc"), now, now.date(), [1], ["x"], "bad", "text", uuid.uuid4(), False),
        (0, 0, 1, 2, 0.25, "x", b"", now, now.date(), [1], ["x"], "bad", 5, uuid.uuid4(), False),
    ]  # fmt: skip
    assert db.postgres.copy_rows(wide, iter(rows)) == 5
    got = db.postgres.execute("SELECT * FROM wide")
    assert got[0] == rows[0]
    assert got[1] == rows[1]
    assert got[2][:4] == rows[2][:4]
    assert got[2][4].is_nan()
    assert got[2][11] == "bad"
    assert math.isnan(got[3][2])
    assert math.isnan(got[3][3])
    assert (got[3][4], got[3][6], got[3][12]) == (7, b"abc", "text")
    assert got[4][2:5] == (1.0, 2.0, decimal.Decimal("0.25"))


@pytest.mark.parametrize(
    ("columns", "bad", "says"),
    [
        (["t"], ("a\0b",), "NUL"),
        (["i"], ("x",), "integer"),
        (["i"], (2**31,), "out of range"),
        (["i"], (-(2**31) - 1,), "out of range"),
        (["b"], (2**63,), "big|range"),
        (["r"], (1e39,), "out of range"),
        (["i", "t"], (1,), "2"),
        (["i"], 5, "sequence or a mapping"),
        (["m"], ("nice",), "enum"),
        (["n"], ("abc",), "column n cannot hold this str"),
        (["a"], ([1, 2**31],), "column a cannot hold this list: .*out of range"),
        (["u"], ("nope",), "column u cannot hold this str"),
        (["at"], (dt.datetime(2024, 1, 1),), "column at cannot hold this datetime"),
        (["j"], ({"a": "\0"},), "NUL"),
    ],
)
@pytest.mark.parametrize("before", [0, 3, 2500])
def test_a_bad_row_names_its_number_and_nothing_is_written(db, wide, columns, bad, says, before):
    good = {"t": "x", "i": 1, "b": 1, "r": 1.0, "m": "good", "n": 1, "a": [1], "j": {}}
    good |= {"u": uuid.uuid4(), "at": dt.datetime(2024, 1, 1, tzinfo=dt.UTC)}
    rows = [tuple(good[name] for name in columns)] * before + [bad]
    with pytest.raises(BadRow, match=f"row {before + 1}: .*({says})") as caught:
        db.postgres.copy_rows(wide, rows + rows[:1], columns)
    assert caught.value.row == before + 1
    assert caught.value.__cause__ is not None
    assert db.postgres.execute("SELECT count(*) FROM wide") == [(0,)]


def test_copy_takes_mappings_generators_and_quoted_names(db):
    db.postgres.execute(
        'CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema"."T able" ("a;b" int, "select" text)'
    )
    try:
        rows = ({"select": str(n), "a;b": n} for n in range(10))
        assert db.postgres.copy_rows("My Schema.T able", rows) == 10
        assert db.postgres.execute('SELECT sum("a;b") FROM "My Schema"."T able"') == [(45,)]
        with pytest.raises(ValueError, match="no column nope"):
            db.postgres.copy_rows("My Schema.T able", [(1,)], ["nope"])
        with pytest.raises(ValueError, match="does not exist"):
            db.postgres.copy_rows("x; DROP TABLE y", [(1,)])
    finally:
        db.postgres.execute('DROP SCHEMA "My Schema" CASCADE')


def test_identities_are_left_out_and_other_types_go_as_text(db):
    db.postgres.execute(
        "CREATE TYPE pair AS (a int, b int); CREATE TABLE other (id int GENERATED ALWAYS AS IDENTITY, p pair, x int)"
    )
    try:
        db.postgres.copy_rows("other", [("(1,2)", 5), (None, None)])
        assert db.postgres.execute("SELECT id, (p).b, x FROM other ORDER BY id") == [
            (1, 2, 5),
            (2, None, None),
        ]
    finally:
        db.postgres.execute("DROP TABLE other; DROP TYPE pair")


def test_what_other_libraries_and_types_give(db, wide):
    mine = uuid.uuid4()
    db.postgres.execute(
        "ALTER TABLE wide ADD c char(3), ADD ms mood[], ADD us uuid[], ADD small smallint[]"
    )
    rows: list[Any] = [
        (mine, (1, 2), "EUR", [Mood.GOOD, None], [str(mine)], np.array([[1, 2], [3, 4]])),
        (str(mine), np.array([3]), "x", ["bad"], (mine,), []),
    ]
    columns = ["u", "a", "c", "ms", "us", "small"]
    for text in (False, True):
        if text:  # a type that psycopg cannot write in binary: all goes as text
            columns.append("p")
            db.postgres.execute("ALTER TABLE wide ADD p point")
            rows = [(*row, "(1,2)") for row in rows]
        assert db.postgres.copy_rows(wide, rows, columns) == 2
        assert db.postgres.execute("SELECT u, a, c, ms::text[], us, small FROM wide") == [
            (mine, [1, 2], "EUR", ["good", None], [mine], [[1, 2], [3, 4]]),
            (mine, [3], "x  ", ["bad"], [mine], []),
        ]
        db.postgres.execute("TRUNCATE wide")


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**31), 2**31 - 1),
            st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=5),
            st.none() | st.binary(),
            st.none() | st.lists(st.none() | st.integers(-5, 5)),
        ),
        max_size=20,
    )
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_copied_is_what_is_read(db, wide, rows):
    db.postgres.execute("TRUNCATE wide")
    db.postgres.copy_rows(wide, rows, ["i", "t", "f", "n", "y", "a"])
    assert db.postgres.execute("SELECT i, t, f, n, y, a FROM wide") == rows
