"""A row that no column takes is named and handed over; all others arrive."""

import datetime as dt
import decimal
import enum
import ipaddress
import json
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.db import AsyncDatabaseConnections, BadRow, DatabaseError

NAMES: dict[str, Any] = {
    **{name: getattr(dt, name) for name in ("date", "datetime", "time", "timedelta")},
    "UTC": dt.UTC,
    "np": np,
    "pd": pd,
    "uuid": uuid,
    "Decimal": Decimal,
    "math": __import__("math"),
    "ipaddress": ipaddress,
    "decimal": decimal,
    "enum": enum,
}
AWARE, NAIVE = "datetime(2024, 5, 1, 12, tzinfo=UTC)", "datetime(2024, 5, 1, 12)"
ADDRESS = "ipaddress.ip_address('1.2.3.4')"
TABLE: dict[str, tuple[list[str], dict[str, str], list[str]]] = {
    "Int8": (["127"], {"np.int64(5)": "5", "True": "1"}, ["300", "1.5", "'5'", "None", "math.nan"]),
    "UInt64": (["2**64 - 1"], {}, ["-1", "2**64", "'5'"]),
    "Int256": (["2**255 - 1"], {}, ["2**255"]),
    "Nullable(Int32)": (["5", "None"], {"pd.NA": "None"}, ["2**31", "'5'"]),
    "Float32": (["0.5"], {"1": "1.0"}, ["1e39", "'1.5'", "None"]),
    "Float64": (["1.1"], {"1": "1.0", "Decimal('1.1')": "1.1"}, ["'x'", "10**400"]),
    "Decimal(4, 2)": (
        ["Decimal('99.99')"],
        {"1.1": "Decimal('1.10')", "1.005": "Decimal('1.01')", "np.float32(1.1)": "Decimal('1.10')"},
        ["Decimal('123.45')", "'1.1'", "99.995", "math.nan"],
    ),
    "Bool": (["True"], {"np.False_": "False"}, ["'false'", "2", "None"]),
    "Enum8('a' = 1, 'b c' = 2)": (["'b c'"], {"1": "'a'"}, ["'c'", "9", "None"]),
    "DateTime": (
        [AWARE],
        {"1714564800": AWARE},
        [NAIVE, "'2024-05-01'", "-1", "1.5", "datetime(1960, 1, 1, tzinfo=UTC)"],
    ),
    "DateTime64(3, 'UTC')": (
        [AWARE],
        {"pd.Timestamp('2024-05-01T12:00Z')": AWARE, "1714564800000": AWARE},
        [NAIVE, "1.5", "pd.NaT"],
    ),
    "Nullable(DateTime('UTC'))": ([AWARE, "None"], {"pd.NaT": "None"}, [NAIVE]),
    "Date": (["date(2024, 5, 1)"], {"datetime(2024, 5, 1)": "date(2024, 5, 1)"}, [NAIVE, "date(1960, 1, 1)", "'x'"]),
    "Date32": (["date(1950, 5, 1)"], {}, ["date(1800, 1, 1)"]),
    "String": (["'x'"], {"b'x'": "'x'", "np.str_('x')": "'x'"}, ["5", "None", "'\\ud800'"]),
    "LowCardinality(String)": (["'x'"], {}, ["5"]),
    "FixedString(3)": ([], {"'abc'": "b'abc'", "b'a'": "b'a\\0\\0'"}, ["'abcd'", "5"]),
    "UUID": (["uuid.UUID(int=1)"], {"str(uuid.UUID(int=1))": "uuid.UUID(int=1)"}, ["'nope'", "1"]),
    "IPv4": ([ADDRESS], {"'1.2.3.4'": ADDRESS}, ["'nope'", "'::1'", "5"]),
    "Array(Int8)": (["[1, 2]"], {"(1, 2)": "[1, 2]", "np.array([1, 2])": "[1, 2]"}, ["[300]", "''", "5", "['1']"]),
    "Map(String, Int8)": (["{'a': 3}"], {}, ["{'a': 300}", "[1]", "{1: 1}"]),
}  # fmt: skip
REFUSED = [(kind, text) for kind, (_taken, _made, refused) in TABLE.items() for text in refused]
STORED = [
    *((kind, text, text) for kind, (taken, _made, _refused) in TABLE.items() for text in taken),
    *((kind, *pair) for kind, (_taken, made, _refused) in TABLE.items() for pair in made.items()),
]


def value_of(text):
    return eval(text, NAMES)


@pytest.fixture(scope="module")
def typed(clickhouse_settings):
    from shared.db import DatabaseConnections

    with DatabaseConnections.from_settings(clickhouse_settings) as db:
        for number, kind in enumerate(TABLE):
            db.clickhouse.command(
                f"CREATE TABLE typed_{number} (n Int64, v {kind}) ENGINE = MergeTree ORDER BY n "
                "SETTINGS non_replicated_deduplication_window = 1000"
            )
        yield db
        for number in range(len(TABLE)):
            db.clickhouse.command(f"DROP TABLE typed_{number}")


def stored(db, table):
    rows = db.clickhouse.query(f"SELECT v FROM {table}", query_tz="UTC").result_rows
    db.clickhouse.command(f"TRUNCATE TABLE {table}")
    return [row[0] for row in rows]


def same(found, wanted):
    if isinstance(found, dt.datetime) and found.tzinfo is None:
        found = found.replace(tzinfo=dt.UTC)
    return found == wanted


@pytest.mark.parametrize(("kind", "given", "wanted"), STORED)
def test_what_is_taken_is_stored_as_it_is_or_converted(typed, kind, given, wanted):
    table = f"typed_{list(TABLE).index(kind)}"
    typed.clickhouse.insert(table, [[1, value_of(given)]], ["n", "v"])
    with typed.clickhouse_writer(table) as writer:
        writer.write({"n": 2, "v": value_of(given)})
    found = stored(typed, table)
    assert len(found) == 2
    assert all(same(one, value_of(wanted)) for one in found), found


@pytest.mark.parametrize(("kind", "given"), REFUSED)
def test_what_is_refused_is_named_and_not_written(typed, kind, given):
    table, bad = f"typed_{list(TABLE).index(kind)}", value_of(given)
    with pytest.raises(BadRow) as caught:
        typed.clickhouse.insert(table, [[1, bad]], ["n", "v"])
    assert (caught.value.row, caught.value.column, caught.value.value is bad) == (1, "v", True)
    seen = []
    with typed.clickhouse_writer(
        table, on_bad_row=lambda row, error: seen.append((row, error))
    ) as w:
        w.write({"n": 2, "v": bad})
    ((row, error),) = seen
    assert row["v"] is bad
    assert (error.row, error.column, error.value is bad) == (1, "v", True)
    assert stored(typed, table) == []


def rows_with(bad, at, count=1000):
    rows: list[dict[str, Any]] = [{"p": 1, "n": n} for n in range(count)]
    rows[at] = bad
    return rows


def count(db, table):
    return db.clickhouse.query(f"SELECT count(), uniqExact(p, n) FROM {table}").result_rows[0]


BAD = [
    ({"p": 300, "n": 5}, "p", 300),
    ({"p": "x", "n": 5}, "p", "x"),
    ({"p": 1, "nope": 5}, "nope", 5),
]


@pytest.mark.parametrize(("bad", "column", "value"), BAD)
def test_one_bad_row_among_a_thousand_is_handed_over(db, table, bad, column, value):
    seen = []
    writer = db.clickhouse_writer(
        table, max_rows=100, on_bad_row=lambda row, error: seen.append((row, error))
    )
    for row in rows_with(bad, 417):
        writer.write(row)
    writer.flush()
    report = writer.close()
    assert (report.delivered, report.undelivered, report.refused) == (999, 0, 1)
    assert report.error is None
    ((row, error),) = seen
    assert row == bad
    assert (error.row, error.column, error.value) == (418, column, value)
    assert count(db, table) == (999, 999)


def test_without_a_taker_the_row_is_in_the_report(db, table):
    writer = db.clickhouse_writer(table, max_rows=100)
    writer.write_many(rows_with({"p": 300, "n": 5}, 417))
    with pytest.raises(BadRow, match="row 418: column p"):
        writer.flush()
    writer.write({"p": 1, "n": 5000})
    writer.flush()
    report = writer.close()
    assert (report.delivered, report.undelivered) == (1000, 1)
    assert report.undelivered_rows == [{"p": 300, "n": 5}]
    assert "row 418" in report.error
    with pytest.raises(BadRow, match="row 1"), db.clickhouse_writer(table) as writer:
        writer.write({"p": 300, "n": 5})


def test_a_row_of_a_type_that_only_the_driver_judges_is_found(db, table):
    db.clickhouse.command(f"ALTER TABLE {table} ADD COLUMN pair Tuple(Int8, String)")
    seen = []
    writer = db.clickhouse_writer(table, on_bad_row=lambda row, error: seen.append((row, error)))
    rows = rows_with({"p": 1, "n": -1, "pair": (300, "x")}, 417)
    writer.write_many({"pair": (1, "x"), **row} for row in rows)
    report = writer.close()
    assert (report.delivered, report.undelivered, report.refused) == (999, 0, 1)
    assert [(row["n"], error.row) for row, error in seen] == [(-1, 418)]
    assert count(db, table) == (999, 999)


@pytest.mark.parametrize(
    "own", [False, True], ids=["in the spill folder", "in a file of the caller"]
)
def test_a_spilled_bad_row_is_a_dead_letter_and_the_next_writers_deliver(db, table, tmp_path, own):
    letters = tmp_path / "letters.jsonl" if own else None
    folder = tmp_path / "spill"
    with db.clickhouse_writer(table, max_rows=100, spill=folder, dead_letters=letters) as writer:
        writer.write_many(rows_with({"p": 300, "n": 5}, 417))
    for n in (5000, 5001):
        with db.clickhouse_writer(table, spill=folder, dead_letters=letters) as writer:
            writer.write({"p": 1, "n": n})
    assert count(db, table) == (1001, 1001)
    assert not list(folder.rglob("*.rows"))
    (line,) = (letters or folder / table / "refused.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert (found["row"], found["column"], found["values"]) == (418, "p", {"p": 300, "n": 5})


def test_a_taker_that_raises_loses_nothing(db, table):
    def fail(row, error):
        raise RuntimeError("the queue is full")

    writer = db.clickhouse_writer(table, on_bad_row=fail)
    writer.write_many(rows_with({"p": 300, "n": 5}, 0, 10))
    report = writer.close()
    assert (report.delivered, report.undelivered, report.refused) == (9, 1, 0)
    assert report.undelivered_rows == [{"p": 300, "n": 5}]


def test_a_missing_table_gives_the_rows_back(db):
    writer = db.clickhouse_writer("missing")
    writer.write_many({"n": n} for n in range(3))
    with pytest.raises(DatabaseError, match="missing"):
        writer.flush()
    report = writer.close()
    assert (report.delivered, report.undelivered) == (0, 3)
    assert report.undelivered_rows == [{"n": n} for n in range(3)]


def test_times_of_all_kinds_in_one_column_keep_their_nanoseconds(db):
    db.clickhouse.command(
        "CREATE TABLE moments (n Int64, v Nullable(DateTime64(9))) ENGINE = MergeTree ORDER BY n"
    )
    moments = [dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC), pd.Timestamp(5, tz="UTC"), 7, None]
    db.clickhouse.insert("moments", [list(row) for row in enumerate(moments)], ["n", "v"])
    with db.clickhouse_writer("moments") as writer:
        writer.write_many({"n": n, "v": v} for n, v in enumerate(moments))
    rows = db.clickhouse.query(
        "SELECT toUnixTimestamp64Nano(v), count() FROM moments GROUP BY n, v ORDER BY n"
    ).result_rows
    db.clickhouse.command("DROP TABLE moments")
    assert rows == [(10**9, 2), (5, 2), (7, 2), (None, 2)]


async def test_an_asynchronous_taker(clickhouse_settings, table):
    seen = []

    async def take(row, error):
        seen.append((row, error.row))

    async with AsyncDatabaseConnections.from_settings(clickhouse_settings) as db:
        async with db.clickhouse_writer(table, on_bad_row=take) as writer:
            await writer.write_many([{"p": 1, "n": 1}, {"p": "x", "n": 2}])
        with pytest.raises(BadRow):
            await db.clickhouse.insert(table, [[300, 1]], ["p", "n"])
    assert seen == [({"p": "x", "n": 2}, 2)]


def rendered():
    lines = ["| Column | Stored as it is | Converted | Refused |", "|---|---|---|---|"]
    for kind, (taken, made, refused) in TABLE.items():
        pairs = [f"{given} → {wanted}" for given, wanted in made.items()]
        cells = [", ".join(f"`{one}`" for one in cell) for cell in (taken, pairs, refused)]
        lines.append(f"| {kind} | {' | '.join(cells)} |".replace("  ", " "))
    return "\n".join(lines) + "\n"


def test_the_guide_has_this_table():
    guide = Path(__file__).parents[4] / "docs" / "guides" / "db.md"
    if not guide.exists():
        pytest.skip("the package is tested alone")
    assert rendered() in guide.read_text("utf-8"), rendered()
