"""Accepted rows that survive their producer."""

import json
import shutil
import threading

import pytest

from shared.db import (
    DatabaseConnections,
    embedded,
)

PLAIN = "CREATE TABLE {} (p UInt8, n Int64, s String DEFAULT 'none') ENGINE = MergeTree ORDER BY n"
WINDOW = "SETTINGS non_replicated_deduplication_window = 1000"
REMEMBERING = f"{PLAIN} {WINDOW}"


def count(db, table):
    return db.clickhouse.query(f"SELECT count(), uniqExact(p, n) FROM {table}").result_rows[0]


PRODUCER = """
import json, os, sys, threading
from shared.db import DatabaseConnections
settings, folder = json.loads(sys.argv[1]), sys.argv[2]
with DatabaseConnections() as db:
    db.initialize_clickhouse(**settings, timeout=1)
    writer = db.clickhouse_writer("t", max_rows=50, max_delay=0.02, spill=folder)
    def produce(who, n):
        while True:
            writer.write({"p": who, "n": n})
            os.write(1, f"{who} {n}\\n".encode())
            n += 1
    for who, start in enumerate(sys.argv[3:]):
        threading.Thread(target=produce, args=(who, int(start))).start()
    threading.Event().wait()
"""


def test_spilled_rows_are_stored_once_when_producers_and_server_are_killed(python, tmp_path):
    folder = tmp_path / "spill"
    starts = [0] * 4
    accepted, unsure = set(), set()
    with embedded.clickhouse() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.clickhouse.command(PLAIN.format("t") + " PARTITION BY p " + WINDOW)
        for round_ in range(5):
            producer = python(PRODUCER, json.dumps(dict(store.settings)), folder, *starts)
            lines = [producer.stdout.readline() for _ in range(200)]
            if round_ % 2 == 0:
                store.kill()
            if round_ != 2:  # then both are gone at the same time
                store.start()
                lines += [producer.stdout.readline() for _ in range(100)]
            producer.kill()
            # Not communicate(): it passes over what readline() has read ahead.
            lines += list(producer.stdout)
            producer.wait()
            store.start()
            got = {tuple(map(int, line.split())) for line in lines if line.endswith("\n")}
            assert len(got) >= 200
            accepted |= got
            for who in range(4):
                last = max((n for p, n in got if p == who), default=starts[who] - 1)
                unsure.add((who, last + 1))  # in the making when the end came
                starts[who] = last + 2
        assert list(folder.rglob("*.rows"))
        with db.clickhouse_writer("t", spill=folder) as writer:
            writer.flush()
        assert not list(folder.rglob("*.rows"))
        rows = db.clickhouse.query("SELECT p, n FROM t").result_rows
    assert len(rows) == len(set(rows))
    assert accepted <= set(rows) <= accepted | unsure


@pytest.mark.parametrize("gone", [["0", "1", "2"], ["1"]], ids=["the batch", "one part of it"])
def test_a_spilled_batch_whose_token_the_server_knows_without_its_rows(gone, tmp_path):
    """Killed between token and part, and the producer with it: the loss was never reported."""
    with embedded.clickhouse() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.clickhouse.command(PLAIN.format("t") + " PARTITION BY p " + WINDOW)
        store.shutdown()
        writer = db.clickhouse_writer("t", spill=tmp_path)
        writer.write_many({"p": n % 3, "n": n, "s": "x"} for n in range(9))
        assert writer.close(timeout=0.1).undelivered == 9
        store.start()
        (path,) = tmp_path.rglob("*.rows")
        settings = {"insert_deduplication_token": f"{path.stem}-0"}
        rows = [[n % 3, n, "x"] for n in range(9)]
        db.clickhouse.insert("t", rows, ["p", "n", "s"], settings=settings)
        parts = "SELECT path FROM system.parts WHERE table = 't' AND active AND partition IN {gone:Array(String)}"
        paths = db.clickhouse.query(parts, parameters={"gone": gone}).result_rows
        store.shutdown()
        for (part,) in paths:
            shutil.rmtree(part)
        store.start()
        assert count(db, "t")[0] < 9
        with db.clickhouse_writer("t", spill=tmp_path) as writer:
            pass
        assert writer.mended == 1
        assert count(db, "t") == (9, 9)


def test_writers_that_begin_together_share_a_folder(db, table, tmp_path):
    errors = []

    def work(who):
        try:
            for n in range(10):
                with db.clickhouse_writer(table, spill=tmp_path) as writer:
                    writer.write({"p": who, "n": n})
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert count(db, table) == (60, 60)


FORKED = """
import json, os, sys
from shared.db import DatabaseConnections
db = DatabaseConnections()
db.initialize_clickhouse(**json.loads(sys.argv[1]))
writer = db.clickhouse_writer(sys.argv[2], max_delay=60, spill=sys.argv[3] if len(sys.argv) > 3 else None)
writer.write({"p": 0, "n": 1})
child = os.fork()
writer.write({"p": 1 if child else 2, "n": 1})
report = writer.close()
print(report.delivered, report.undelivered, flush=True)
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.parametrize("spill", [False, True])
def test_a_forked_child_delivers_its_own_rows(
    db, table, clickhouse_settings, python, tmp_path, spill
):
    folder = [tmp_path / "spill"] if spill else []
    settings = json.dumps(dict(clickhouse_settings))
    out, err = python(FORKED, settings, table, *folder).communicate()
    assert sorted(out.split("\n")) == ["", "1 0", "2 0"], err
    assert count(db, table) == (3, 3)
    assert not list(tmp_path.rglob("*.rows"))


def test_spilled_rows_wait_for_the_next_writer_when_the_server_is_away(tmp_path):
    with embedded.clickhouse() as store, DatabaseConnections() as db:
        db.initialize_clickhouse(**store.settings, timeout=0.2)
        db.clickhouse.command(REMEMBERING.format("t"))
        store.shutdown()
        writer = db.clickhouse_writer("t", max_rows=10, spill=tmp_path)
        writer.write_many({"p": 1, "n": n} for n in range(25))
        assert writer.close(timeout=0.2).undelivered == 25
        store.start()
        with db.clickhouse_writer("t", max_rows=10, spill=tmp_path) as writer:
            writer.write({"p": 1, "n": 25})
        assert count(db, "t") == (26, 26)
        assert not list(tmp_path.rglob("*.rows"))
