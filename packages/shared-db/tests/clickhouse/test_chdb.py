"""ClickHouse's engine in this process."""

import asyncio

import pytest

IN_PROCESS = """
import os, sys
from shared.db import DatabaseConnections, Unavailable
def fresh():
    with DatabaseConnections() as db:
        db.initialize_clickhouse(url=sys.argv[1])
        return db.clickhouse.command("SELECT 1")
with DatabaseConnections() as db:
    db.initialize_clickhouse(url=sys.argv[1])
    db.clickhouse.command("CREATE TABLE t (p UInt8, n Int64) ENGINE = MergeTree ORDER BY n")
    with db.clickhouse_writer("t") as writer:
        writer.write_many({"p": 1, "n": n} for n in range(10))
    print(db.clickhouse.query("SELECT count() FROM t").result_rows[0][0], db.ping()["clickhouse"].ok, flush=True)
    client = db.clickhouse.client()
    child = os.fork()
    if child == 0:
        for call in (lambda: db.clickhouse.query("SELECT 1"), fresh, lambda: client.command("SELECT 1")):
            try:
                call()
            except Exception as error:
                print("refused:", error, flush=True)
        sys.exit(7)
    print(os.waitpid(child, 0)[1] >> 8)
    print(db.clickhouse.command("SELECT 1"))
"""


@pytest.mark.parametrize("kind", ["memory", "path"])
def test_chdb_in_process_and_not_in_a_forked_child(python, tmp_path, kind):
    url = "chdb://memory" if kind == "memory" else f"chdb://{tmp_path}/data"
    out, err = python(IN_PROCESS, url).communicate(timeout=60)
    lines = out.splitlines()
    assert lines[0] == "10 True", err
    refused = "refused: chdb belongs to the process that opened it: not to a forked child"
    assert lines[1:4] == [refused] * 3, err
    assert lines[4:] == ["7", "1"], err


def test_chdb_described_before_a_fork_and_opened_after(python):
    script = """
import os
from shared.db import DatabaseConnections
with DatabaseConnections() as db:
    db.initialize_clickhouse(url="chdb://memory")
    child = os.fork()
    print(db.clickhouse.command("SELECT 41 + 1"), flush=True)
    if child:
        os.waitpid(child, 0)
"""
    out, err = python(script).communicate(timeout=60)
    assert out.split() == ["42", "42"], err


async def test_chdb_for_tasks(python):
    script = """
import asyncio
from shared.db import AsyncDatabaseConnections
async def main():
    async with AsyncDatabaseConnections() as db:
        db.initialize_clickhouse(url="chdb://memory")
        print((await db.clickhouse.query("SELECT 41 + 1")).result_rows[0][0])
asyncio.run(main())
"""
    out, err = await asyncio.to_thread(python(script).communicate)
    assert out.strip() == "42", err
