"""The writer: batches, delays, reports, bounded memory, nothing lost or doubled."""

import asyncio
import threading
import time
import tracemalloc

import pytest

from shared.db import (
    AsyncDatabaseConnections,
    BadRow,
    DatabaseConnections,
    DatabaseError,
    PoolClosed,
    embedded,
)

PLAIN = "CREATE TABLE {} (p UInt8, n Int64, s String DEFAULT 'none') ENGINE = MergeTree ORDER BY n"
WINDOW = "SETTINGS non_replicated_deduplication_window = 1000"
REMEMBERING = f"{PLAIN} {WINDOW}"


def count(db, table):
    return db.clickhouse.query(f"SELECT count(), uniqExact(p, n) FROM {table}").result_rows[0]


def test_the_writer_batches_flushes_and_reports(db, table):
    writer = db.clickhouse_writer(table, max_rows=100, max_delay=60)
    for n in range(250):
        writer.write({"p": 1, "n": n, "s": "x"})
    writer.write({"p": 1, "n": 250})
    writer.flush()
    assert (writer.delivered, writer.pending) == (251, 0)
    assert count(db, table) == (251, 251)
    assert db.clickhouse.query(f"SELECT s FROM {table} WHERE n = 250").result_rows == [("none",)]
    writer.write_many({"p": 2, "n": n} for n in range(1000))
    report = writer.close(timeout=10)
    assert (report.delivered, report.undelivered, report.error) == (1251, 0, None)
    with pytest.raises(PoolClosed):
        writer.write({"p": 1, "n": 1})
    parts = db.clickhouse.query(
        "SELECT max(rows) FROM system.parts WHERE table = {t:String} AND level = 0 AND active",
        parameters={"t": table},
    ).result_rows
    assert parts[0][0] <= 100


def test_a_row_goes_out_after_its_delay(db, table, until):
    writer = db.clickhouse_writer(table, max_delay=0.05)
    writer.write({"p": 1, "n": 1})
    until("one row delivered", lambda: writer.delivered == 1)
    assert count(db, table) == (1, 1)
    writer.close()


def test_a_table_that_forgets_is_told_to_remember(db, forgetful):
    with db.clickhouse_writer(forgetful) as writer:
        writer.write({"p": 1, "n": 1})
    definition = db.clickhouse.command(f"SHOW CREATE TABLE {forgetful}")
    assert "non_replicated_deduplication_window = 1000" in definition


def test_a_refused_batch_is_said_and_counted(db, table):
    writer = db.clickhouse_writer(table, max_delay=0.01)
    writer.write({"p": 1, "nope": 1})
    with pytest.raises(BadRow, match=r"row 1: column nope .*no such column"):
        writer.flush()
    writer.write({"p": 1, "n": 1})
    report = writer.close()
    assert (report.delivered, report.undelivered) == (1, 1)
    assert report.undelivered_rows == [{"p": 1, "nope": 1}]
    assert "nope" in report.error
    with pytest.raises(TypeError, match="mapping"):
        db.clickhouse_writer(table).write([1])
    with pytest.raises(ValueError, match="max_rows"):
        db.clickhouse_writer(table, max_rows=0)


def test_close_says_what_was_not_delivered():
    with embedded.clickhouse() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.clickhouse.command(REMEMBERING.format("t"))
        writer = db.clickhouse_writer("t", max_rows=10)
        writer.write_many({"p": 1, "n": n} for n in range(20))
        writer.flush()
        store.shutdown()
        writer.write_many({"p": 1, "n": n} for n in range(15))
        started = time.monotonic()
        report = writer.close(timeout=0.3)
        assert time.monotonic() - started < 15
        assert (report.delivered, report.undelivered) == (20, 15)
        assert report.error
        store.start()
        time.sleep(1)
        assert count(db, "t") == (20, 20)


def test_a_waiting_flush_is_told_when_the_time_of_closing_runs_out(until):
    with embedded.clickhouse() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.clickhouse.command(REMEMBERING.format("t"))
        store.shutdown()
        writer = db.clickhouse_writer("t")
        writer.write({"p": 1, "n": 1})
        told = []

        def flush():
            try:
                writer.flush()
            except DatabaseError as error:
                told.append(error)

        thread = threading.Thread(target=flush)
        thread.start()
        until("a waiting flush", lambda: writer._emptied)
        writer.close(timeout=0.1)
        thread.join(30)
        assert told


def test_a_new_writer_that_was_closed_delivers_nothing_behind_its_report():
    with embedded.clickhouse() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.clickhouse.command(REMEMBERING.format("t"))
        store.shutdown()
        writer = db.clickhouse_writer("t")
        writer.write({"p": 1, "n": 1})
        assert writer.close(timeout=0.1).undelivered == 1
        store.start()
        time.sleep(1)
        assert count(db, "t") == (0, 0)


def test_nothing_is_lost_or_doubled_when_the_server_is_killed_under_load():
    with embedded.clickhouse() as store, DatabaseConnections() as db:
        db.initialize_clickhouse(**store.settings, timeout=1)
        db.clickhouse.command(REMEMBERING.format("t") + ", enable_block_number_column = 1")
        writer = db.clickhouse_writer("t", max_rows=200, max_delay=0.05)
        stop = threading.Event()
        produced = [0] * 4
        most = []

        def produce(who):
            while not stop.is_set():
                writer.write({"p": who, "n": produced[who], "s": "x" * 20})
                produced[who] += 1
                if produced[who] % 100 == 0:
                    most.append(writer.pending)
                    time.sleep(0.002)

        threads = [threading.Thread(target=produce, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(4):
            time.sleep(0.4)
            store.kill()
            time.sleep(0.1)
            store.start()
        time.sleep(0.3)
        stop.set()
        for thread in threads:
            thread.join()
        report = writer.close(timeout=60)
        assert (report.delivered, report.undelivered) == (sum(produced), 0)
        assert count(db, "t") == (sum(produced), sum(produced))
        assert sum(produced) > 500
        # Bounded: what fills, what waits, and what four producers hold.
        assert max(most) <= 200 * 4 + 4
        # In order: whatever a producer's row, the part it is in is not before its predecessor's.
        disorder = db.clickhouse.query(
            "SELECT count() FROM (SELECT _block_number AS b, lagInFrame(_block_number, 1, 0) OVER "
            "(PARTITION BY p ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before FROM t) "
            "WHERE b < before",
        )
        assert disorder.result_rows == [(0,)]
        assert db.clickhouse.query("SELECT uniqExact(_block_number) FROM t").result_rows[0][0] > 3


def test_memory_stays_bounded_while_the_server_is_away():
    with embedded.clickhouse() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.clickhouse.command(REMEMBERING.format("t"))
        writer = db.clickhouse_writer("t", max_rows=1000, max_bytes=200_000)
        writer.write({"p": 1, "n": -1})
        writer.flush()
        store.shutdown()
        written = []

        def produce():
            for n in range(20_000):
                writer.write({"p": 1, "n": n, "s": "y" * 1000})
                written.append(n)

        tracemalloc.start()
        thread = threading.Thread(target=produce)
        thread.start()
        time.sleep(1)
        stuck = len(written)
        time.sleep(0.3)
        assert len(written) == stuck < 2000
        assert tracemalloc.get_traced_memory()[0] < 10_000_000
        tracemalloc.stop()
        store.start()
        thread.join()
        assert writer.close(60).undelivered == 0
        assert count(db, "t") == (20_001, 20_001)


async def test_the_asynchronous_writer(clickhouse_settings, table):
    async with AsyncDatabaseConnections.from_settings(clickhouse_settings) as db:
        writer = db.clickhouse_writer(table, max_rows=50, max_delay=0.02)

        async def produce(who):
            for n in range(200):
                await writer.write({"p": who, "n": n})

        await asyncio.gather(*(produce(who) for who in range(4)))
        await writer.flush()
        assert writer.delivered == 800
        await produce(5)
        assert (await writer.close(10)).undelivered == 0
        rows = (
            await db.clickhouse.query(f"SELECT count(), uniqExact(p, n) FROM {table}")
        ).result_rows
        assert rows == [(1000, 1000)]
