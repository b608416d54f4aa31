"""The driver sends an insert as several blocks and compresses each by itself: none may be lost."""

import pytest

from shared.db import DatabaseConnections, embedded

ROWS = 100_000  # of 60 characters: the driver makes several blocks of them


@pytest.fixture(scope="module")
def clickhouse():
    with embedded.clickhouse() as store:
        yield store


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_an_insert_of_several_blocks_arrives_whole(clickhouse, compress):
    if compress == "lz4":
        pytest.importorskip("lz4", reason="on Python 3.14 the driver comes without lz4")
    with DatabaseConnections() as db:
        client = db.initialize_clickhouse(**{**clickhouse.settings, "compress": compress})
        client.command(
            "CREATE OR REPLACE TABLE blocks (s String, n Int64) ENGINE = MergeTree ORDER BY n"
        )
        client.insert(
            "blocks",
            [["x" * 60] * ROWS, list(range(ROWS))],
            column_names=["s", "n"],
            column_oriented=True,
        )
        found = client.query("SELECT count(), uniqExact(n), sum(n) FROM blocks").first_row
    assert found == (ROWS, ROWS, ROWS * (ROWS - 1) // 2)
