"""Rows that a table lacks though it knows their token."""

import math

import pytest


def test_rows_that_a_table_lacks_are_noticed(db, table):
    names, columns = ["p", "n", "s"], [[1, 2], [10, 20], ["x", "y"]]
    assert db.clickhouse.lacks(table, names, columns) == [0, 1]
    db.clickhouse.insert(table, [[2, 20, "y"]], names)
    assert db.clickhouse.lacks(table, names, columns) == []
    assert db.clickhouse.lacks(table, ["n"], [[30]]) == [0]


@pytest.mark.parametrize(
    ("names", "columns", "lacking"),
    [
        (["n", "f", "p"], [[1, 2, 3], [math.nan, None, 0.5], [7, 8, 7]], [1]),
        (["n", "f"], [[1, 2], [math.nan, None]], []),
        (["n", "f"], [[4], [math.nan]], [0]),
    ],
    ids=["by partition", "partition by default, some there", "partition by default, none there"],
)
def test_rows_that_a_partition_lacks_are_noticed(db, names, columns, lacking):
    db.clickhouse.command(
        "CREATE TABLE parted (n Int64, f Nullable(Float64), p UInt8 DEFAULT 7) ENGINE = MergeTree "
        "ORDER BY n PARTITION BY (p, intDiv(n, 100))"
    )
    try:
        db.clickhouse.insert("parted", [[1, math.nan, 7], [3, 0.5, 7]], ["n", "f", "p"])
        assert db.clickhouse.lacks("parted", names, columns) == lacking
    finally:
        db.clickhouse.command("DROP TABLE parted")
