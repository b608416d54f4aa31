"""Every type of column: what COPY takes, converts and refuses; the guide's table is this one."""

import datetime as dt
import decimal
import ipaddress
import json
import math
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from psycopg.types.range import Range

from shared.db import BadRow

UTC = dt.UTC
NAMES: dict[str, Any] = {
    **{name: getattr(dt, name) for name in ("date", "datetime", "time", "timedelta")},
    "UTC": UTC,
    "np": np,
    "pd": pd,
    "pl": pl,
    "uuid": uuid,
    "ipaddress": ipaddress,
    "Decimal": Decimal,
    "Range": Range,
    "math": math,
    "decimal": decimal,
    "json": json,
}
DAY, NOON = "datetime(2024, 5, 1)", "datetime(2024, 5, 1, 12)"
AWARE = "datetime(2024, 5, 1, 12, tzinfo=UTC)"
ID = "uuid.UUID(int=1)"
# For each type: what is stored as it is, what is converted (and to what), what is refused.
TABLE: dict[str, tuple[list[str], dict[str, str], list[str]]] = {
    "boolean": (["True"], {"np.True_": "True"}, ["'false'", "1", "0.0", "[]"]),
    "smallint": (["32767"], {"np.int8(5)": "5", "True": "1"}, ["32768", "1.0", "'1'", "Decimal(1)"]),
    "integer": (["-(2**31)"], {"np.int64(5)": "5"}, ["2**31", "1.5", "'1'", "math.nan", "np.uint32(2**31)"]),
    "bigint": (["2**63 - 1"], {"np.uint64(5)": "5", "False": "0"}, ["2**63", "1.5", "'1'", "np.float64(1)"]),
    "oid": (["2**32 - 1"], {"np.int64(5)": "5"}, ["-1", "2**32", "'1'"]),
    "real": (["0.5", "math.inf"], {"1": "1.0", "np.float32(1.5)": "1.5"}, ["1e39", "'1'", "1j"]),
    "double precision": (
        ["1.1", "-math.inf"],
        {"1": "1.0", "np.float32(1.1)": "1.100000023841858", "Decimal('1.1')": "1.1"},
        ["'1.1'", "10**400", "1j"],
    ),
    "numeric": (
        ["Decimal('1.10')", "Decimal('Infinity')"],
        {"7": "Decimal(7)", "1.1": "Decimal('1.1')", "np.float32(1.1)": "Decimal('1.1')",
         "np.float64(1.1)": "Decimal('1.1')", "np.int64(7)": "Decimal(7)"},
        ["'1.1'", "1j", "Decimal('1e200000')"],
    ),
    "numeric(4,2)": (
        ["Decimal('99.99')", "Decimal('-0.01')"],
        {"1.005": "Decimal('1.01')", "99.994": "Decimal('99.99')"},
        ["Decimal('123.45')", "100", "99.995", "math.inf"],
    ),
    "text": (["'ünï'", "''"], {"np.str_('x')": "'x'"}, ["b'x'", "5", "True", "'a\\0b'", "'\\ud800'", "math.nan"]),
    "varchar(3)": (["'abc'"], {"'abc  '": "'abc'"}, ["'abcd'", "5"]),
    "char(3)": (["'abc'"], {"'x'": "'x  '"}, ["'abcd'", "5"]),
    '"char"': (["'x'"], {}, ["'xy'", "'é'", "5"]),
    "bytea": (["b'\\0'"], {"bytearray(b'x')": "b'x'", "memoryview(b'x')": "b'x'"}, ["'x'", "5", "[1]"]),
    "date": (
        ["date(2024, 5, 1)"],
        {DAY: "date(2024, 5, 1)", "pd.Timestamp('2024-05-01')": "date(2024, 5, 1)",
         "np.datetime64('2024-05-01')": "date(2024, 5, 1)"},
        [NOON, AWARE, "'2024-05-01'", "20240501", "np.datetime64('2024-05-01T12:00')"],
    ),
    "time": (["time(12, 30)"], {}, ["time(12, tzinfo=UTC)", "'12:30'", "timedelta(hours=1)", NOON]),
    "timetz": (["time(12, tzinfo=UTC)"], {}, ["time(12)", "'12:30'"]),
    "timestamp": (
        [NOON],
        {"date(2024, 5, 1)": DAY, "pd.Timestamp('2024-05-01')": DAY,
         "np.datetime64('2024-05-01T12:00', 'ns')": NOON},
        [AWARE, "'2024-05-01'", "1714521600", "pd.Timestamp(1)", "np.datetime64(1, 'ns')"],
    ),
    "timestamptz": (
        [AWARE],
        {"pd.Timestamp('2024-05-01T12:00Z')": AWARE},
        [NOON, "date(2024, 5, 1)", "np.datetime64('2024-05-01')", "'2024-05-01T12:00Z'", "pd.Timestamp(1, tz='UTC')"],
    ),
    "interval": (
        ["timedelta(days=-1, microseconds=5)"],
        {"pd.Timedelta('1h')": "timedelta(hours=1)", "np.timedelta64(30, 's')": "timedelta(seconds=30)"},
        ["30", "1.5", "'1 day'", "np.timedelta64(30)", "pd.Timedelta(1, 'ns')"],
    ),
    "uuid": ([ID], {f"str({ID})": ID}, ["'nope'", "1", "b'0123456789abcdef'"]),
    "json": (["{'a': [1, None]}", "'text'", "5"], {}, ["{'a': math.nan}", "{1, 2}", "[Decimal(1)]"]),
    "jsonb": (["{'a': [1, None]}", "'text'", "5"], {}, ["[math.inf]", "{'a': '\\0'}", "b'{}'"]),
    "inet": (["ipaddress.ip_address('1.2.3.4')"], {"'1.2.3.4'": "ipaddress.ip_address('1.2.3.4')"}, ["'nope'", "5"]),
    "cidr": (["ipaddress.ip_network('1.2.3.0/24')"], {"'1.2.3.0/24'": "ipaddress.ip_network('1.2.3.0/24')"}, ["'1.2.3.4/24'", "5"]),
    "int4range": (["Range(1, 5)"], {}, ["Range(1.5, 2)", "Range(1, 2**31)", "'[1,5)'", "(1, 5)"]),
    "tstzrange": ([f"Range({AWARE}, None)"], {}, [f"Range({NOON}, None)"]),
    "integer[]": (
        ["[1, None]", "[[1, 2], [3, 4]]", "[]"],
        {"(1, 2)": "[1, 2]", "np.array([1, 2])": "[1, 2]", "pl.Series([1, 2])": "[1, 2]"},
        ["''", "'{1}'", "[1, 2**31]", "['1']", "[[1], [2, 3]]", "[[1], 2]", "[[]]", "{1}", "{1: 2}", "5"],
    ),
    "text[]": (["['a', None]"], {"('a',)": "['a']", "np.array(['a'])": "['a']"}, ["''", "'a'", "[1]", "{'a'}"]),
    "numeric[]": ([], {"np.array([1.1], 'f4')": "[Decimal('1.1')]"}, ["['1']"]),
    "timestamp[]": ([], {"np.array(['2024-05-01T12:00'], 'M8[ns]')": f"[{NOON}]"}, ["[1]"]),
    "copy_mood": (["'good'"], {"np.str_('bad')": "'bad'"}, ["'nice'", "''", "1"]),
    "point": (["'(1,2)'"], {}, ["'nope'"]),
}  # fmt: skip

REFUSED = [(kind, text) for kind, (_taken, _made, refused) in TABLE.items() for text in refused]
STORED = [
    *((kind, text, text) for kind, (taken, _made, _refused) in TABLE.items() for text in taken),
    *((kind, *pair) for kind, (_taken, made, _refused) in TABLE.items() for pair in made.items()),
]


def value_of(text):
    return eval(text, NAMES)


@pytest.fixture(scope="module")
def typed(postgres_settings):
    from shared.db import DatabaseConnections

    with DatabaseConnections.from_settings(postgres_settings) as db:
        db.postgres.execute("CREATE TYPE copy_mood AS ENUM ('good', 'bad')")
        for number, kind in enumerate(TABLE):
            db.postgres.execute(f"CREATE TABLE typed_{number} (n bigint, v {kind}, p point)")
        yield db
        for number in range(len(TABLE)):
            db.postgres.execute(f"DROP TABLE typed_{number}")
        db.postgres.execute("DROP TYPE copy_mood")


def place_of(kind):
    return f"typed_{list(TABLE).index(kind)}"


def same(found, wanted):
    return str(found) == wanted if "(1,2)" in str(found) else bool(found == wanted)


@pytest.mark.parametrize("columns", [["n", "v"], ["n", "v", "p"]], ids=["binary", "text"])
@pytest.mark.parametrize(("kind", "given", "wanted"), STORED)
def test_what_is_taken_is_stored_as_it_is_or_converted(typed, columns, kind, given, wanted):
    rows = [(1, value_of(given), None), (2, None, None)]
    db, table = typed, place_of(kind)
    assert db.postgres.copy_rows(table, [row[: len(columns)] for row in rows], columns) == 2
    found = db.postgres.execute(f"DELETE FROM {table} RETURNING v")
    assert same(found[0][0], value_of(wanted)), found
    assert found[1] == (None,)


@pytest.mark.parametrize("make", [list, iter], ids=["a list", "a stream"])
@pytest.mark.parametrize("columns", [["n", "v"], ["n", "v", "p"]], ids=["binary", "text"])
@pytest.mark.parametrize(("kind", "given"), REFUSED)
def test_what_is_refused_is_named_and_nothing_is_written(typed, make, columns, kind, given):
    db, table, bad = typed, place_of(kind), value_of(given)
    rows: list[Any] = [(n, None, None)[: len(columns)] for n in range(300)]
    rows[299] = (299, bad, None)[: len(columns)]
    with pytest.raises(BadRow) as caught:
        db.postgres.copy_rows(table, make(rows), columns)
    assert caught.value.row == 300
    if (kind, make) != ("point", iter):  # the server's refusal of a row that is gone
        assert caught.value.value is bad
    assert caught.value.column == "v"
    assert str(caught.value).startswith("row 300: column v")
    assert db.postgres.execute(f"SELECT count(*) FROM {table}") == [(0,)]


@pytest.mark.parametrize("missing", ["None", "pd.NaT", "pd.NA", "np.datetime64('NaT')"])
@pytest.mark.parametrize("kind", TABLE)
def test_a_missing_value_of_any_library_is_null(typed, kind, missing):
    db, table = typed, place_of(kind)
    db.postgres.copy_rows(table, [(1, value_of(missing))], ["n", "v"])
    assert db.postgres.execute(f"DELETE FROM {table} RETURNING v") == [(None,)]


def test_rows_of_itertuples(typed):
    at: Any = ["2024-05-01T12:00Z", None]
    frame = pd.DataFrame({"n": [1, 2], "v": pd.to_datetime(at)})
    table = place_of("timestamptz")
    typed.postgres.copy_rows(table, frame.itertuples(index=False), ["n", "v"])
    rows = typed.postgres.execute(f"DELETE FROM {table} RETURNING v")
    assert rows == [(dt.datetime(2024, 5, 1, 12, tzinfo=UTC),), (None,)]


def test_a_secret_column_is_named_without_its_value(typed):
    typed.postgres.execute("CREATE TABLE hidden (api_key text)")
    try:
        with pytest.raises(BadRow) as caught:
            typed.postgres.copy_rows("hidden", [(98765,)])
    finally:
        typed.postgres.execute("DROP TABLE hidden")
    assert "98765" not in str(caught.value)
    assert caught.value.column == "api_key"


def test_a_row_that_the_server_refuses_names_its_column(typed):
    typed.postgres.execute("CREATE TABLE strict (n int NOT NULL, p int CHECK (p > 0))")
    try:
        with pytest.raises(BadRow, match="row 2: column n: null value") as caught:
            typed.postgres.copy_rows("strict", [(1, 1), (None, 1)])
        assert (caught.value.row, caught.value.column) == (2, "n")
        with pytest.raises(BadRow, match=r"row 1: .*strict_p_check") as caught:
            typed.postgres.copy_rows("strict", [(1, 0)])
        assert (caught.value.row, caught.value.column) == (1, None)
    finally:
        typed.postgres.execute("DROP TABLE strict")


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
@pytest.mark.parametrize(
    ("kind", "values", "dtype", "wanted"),
    [
        ("numeric", [1.1, None], "Float32", [Decimal("1.1"), None]),
        ("real", [1.5, None], "Float32", [1.5, None]),
        ("bigint", [2**63 - 1, None], "UInt64", [2**63 - 1, None]),
        ("boolean", [True, None], "Boolean", [True, None]),
        ("text", ["x", None], "Categorical", ["x", None]),
        ("date", [dt.date(2024, 5, 1), None], "Date", [dt.date(2024, 5, 1), None]),
        ("time", [dt.time(1, 2, 3), None], "Time", [dt.time(1, 2, 3), None]),
        ("numeric(4,2)", [Decimal("1.25"), None], "Decimal", [Decimal("1.25"), None]),
        ("bytea", [b"x", None], "Binary", [b"x", None]),
    ],
)  # fmt: skip
def test_columns_of_frames(typed, library, kind, values, dtype, wanted):
    if library == "pyarrow":
        pytest.importorskip("pyarrow")
    series = pl.Series("v", values)
    series = series if dtype == "Decimal" else series.cast(getattr(pl, dtype))
    frame = pl.DataFrame({"n": [1, 2]}).with_columns(series)
    table = place_of(kind)
    typed.postgres.copy_frame(table, frame.to_arrow() if library == "pyarrow" else frame)
    rows = typed.postgres.execute(f"DELETE FROM {table} RETURNING v")
    assert [row[0] for row in rows] == wanted


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("timestamp", "datetime64[ns]"), ("interval", "timedelta64[ns]"), ("time", "time")],
)
def test_nanoseconds_are_refused_not_cut_off(typed, library, kind, dtype):
    made: Any
    if library == "pandas":
        if kind == "time":
            pytest.skip("pandas has no times of day")
        made = pd.DataFrame({"n": [1, 2], "v": pd.Series([1000, 1]).astype(dtype)})
    else:
        made = pl.DataFrame({"n": [1, 2], "v": [1000, 1]})
        target: Any = {
            "timestamp": pl.Datetime("ns"),
            "interval": pl.Duration("ns"),
            "time": pl.Time,
        }
        made = made.with_columns(pl.col("v").cast(target[kind]))
    if library == "pyarrow":
        pytest.importorskip("pyarrow")
        made = made.to_arrow()
    with pytest.raises(BadRow, match=r"row 2: column v .*nanoseconds"):
        typed.postgres.copy_frame(place_of(kind), made)


def test_narrow_floats_of_pandas(typed):
    frame = pd.DataFrame({"n": [1], "v": np.array([1.1], "f4")})
    typed.postgres.copy_frame(place_of("numeric"), frame)
    rows = typed.postgres.execute(f"DELETE FROM {place_of('numeric')} RETURNING v")
    assert rows == [(Decimal("1.1"),)]


def rendered():
    lines = ["| Column | Stored as it is | Converted | Refused |", "|---|---|---|---|"]
    for kind, (taken, made, refused) in TABLE.items():
        if kind == "copy_mood":
            kind = "an enum"
        pairs = [f"{given} → {wanted}" for given, wanted in made.items()]
        cells = [", ".join(f"`{one}`" for one in cell) for cell in (taken, pairs, refused)]
        lines.append(f"| {kind} | {' | '.join(cells)} |".replace("  ", " "))
    return "\n".join(lines) + "\n"


def test_the_guide_has_this_table():
    guide = Path(__file__).parents[4] / "docs" / "guides" / "db.md"
    if not guide.exists():
        pytest.skip("the package is tested alone")
    assert rendered() in guide.read_text("utf-8"), rendered()
