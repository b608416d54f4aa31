# mypy: disable-error-code="arg-type, assignment, attr-defined, dict-item, index, misc, possibly-undefined, redundant-expr, union-attr, unreachable, var-annotated"
"""ClickHouse: lost answers, shared clients, and a writer that loses and doubles nothing."""

import asyncio
import json
import math
import os
import shutil
import threading
import time
import tracemalloc

import clickhouse_connect
import pytest

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    DatabaseError,
    OutcomeUnknown,
    PoolClosed,
    Unavailable,
    embedded,
)

PLAIN = "CREATE TABLE {} (p UInt8, n Int64, s String DEFAULT 'none') ENGINE = MergeTree ORDER BY n"
WINDOW = "SETTINGS non_replicated_deduplication_window = 1000"
REMEMBERING = f"{PLAIN} {WINDOW}"


@pytest.fixture
def db(clickhouse_settings):
    with DatabaseConnections.from_settings(clickhouse_settings) as db:
        yield db


@pytest.fixture
def proxied(clickhouse_store, clickhouse_settings, fault_proxy):
    proxy = fault_proxy(clickhouse_store)
    settings = {**clickhouse_settings, "host": proxy.host, "port": proxy.port}
    with DatabaseConnections() as db:
        db.initialize_clickhouse(**settings, timeout=2)
        db.clickhouse.command("SELECT 1")
        yield db, proxy


@pytest.fixture
def table(db, request):
    name = f"t_{abs(hash(request.node.name)) % 10**9}"
    db.clickhouse.command(REMEMBERING.format(name))
    yield name
    db.clickhouse.command(f"DROP TABLE {name}")


@pytest.fixture
def forgetful(db, request):
    name = f"f_{abs(hash(request.node.name)) % 10**9}"
    db.clickhouse.command(PLAIN.format(name))
    yield name
    db.clickhouse.command(f"DROP TABLE {name}")


def count(db, table):
    return db.clickhouse.query(f"SELECT count(), uniqExact(p, n) FROM {table}").result_rows[0]


def test_a_lost_answer_inserts_once(proxied, table):
    db, proxy = proxied
    for n in range(5):
        # An insert asks for the columns first.
        proxy.lose_reply(after=n % 2)
        db.clickhouse.insert(table, [[0, n, "x"]], ["p", "n", "s"])
    assert count(db, table) == (5, 5)


def test_a_lost_answer_of_a_table_that_forgets_is_unknown_and_not_repeated(proxied, forgetful):
    db, proxy = proxied
    db.clickhouse.insert(forgetful, [[0, 0]], ["p", "n"])
    for n in range(1, 5):
        proxy.lose_reply(after=1)
        with pytest.raises(OutcomeUnknown):
            db.clickhouse.insert(forgetful, [[0, n]], ["p", "n"])
    proxy.lose_reply()
    with pytest.raises(OutcomeUnknown):
        db.clickhouse.command(f"INSERT INTO {forgetful} (p, n) VALUES (0, 5)")
    proxy.lose_reply()
    assert db.clickhouse.query(f"SELECT count(), uniqExact(n) FROM {forgetful}").result_rows == [
        (6, 6)
    ]


async def test_the_same_holds_for_tasks(
    clickhouse_store, clickhouse_settings, fault_proxy, table, forgetful
):
    proxy = fault_proxy(clickhouse_store)
    async with AsyncDatabaseConnections() as db:
        db.initialize_clickhouse(**{**clickhouse_settings, "host": proxy.host, "port": proxy.port})
        await db.clickhouse.query("SELECT 1")
        for n in range(3):
            proxy.lose_reply(after=n % 2)
            await db.clickhouse.insert(table, [[0, n]], ["p", "n"])
        await db.clickhouse.insert(forgetful, [[0, 0]], ["p", "n"])
        proxy.lose_reply(after=1)
        with pytest.raises(OutcomeUnknown):
            await db.clickhouse.insert(forgetful, [[0, 1]], ["p", "n"])
        proxy.lose_reply()
        rows = (await db.clickhouse.query(f"SELECT count() FROM {table}")).result_rows
        assert rows == [(3,)]
        assert (await db.clickhouse.query(f"SELECT count() FROM {forgetful}")).result_rows == [(2,)]
        task = asyncio.create_task(
            db.clickhouse.query("SELECT sum(sleepEachRow(0.2)) FROM numbers(10)")
        )
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert db.snapshot()["clickhouse"]["in_use"] == 0


def test_eight_threads_share_one_client(db):
    wrong = []

    def work(thread):
        for n in range(20):
            value = thread * 1000 + n
            got = db.clickhouse.query("SELECT {v:Int64}, sleep(0.001)", parameters={"v": value})
            if got.result_rows[0][0] != value:
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_drivers_own_errors_stay(db):
    with pytest.raises(
        clickhouse_connect.driver.exceptions.DatabaseError, match="UNKNOWN_IDENTIFIER"
    ):
        db.clickhouse.query("SELECT nope")


def test_a_server_that_is_away():
    with embedded.clickhouse() as store, DatabaseConnections() as db:
        db.initialize_clickhouse(**store.settings, timeout=0.5)
        assert db.clickhouse.command("SELECT 1") == 1
        store.shutdown()
        with pytest.raises(Unavailable):
            db.clickhouse.command("SELECT 1")
        with pytest.raises(Unavailable):
            db.health_checks()["clickhouse"]()
        store.start()
        assert db.clickhouse.command("SELECT 1") == 1


def test_sessions_and_settings_of_the_embedded_server(clickhouse_store):
    url = clickhouse_store.url
    with clickhouse_connect.get_client(dsn=url, session_id="mine") as client:
        client.command("CREATE TEMPORARY TABLE temp (n Int8)")
        client.command("INSERT INTO temp VALUES (1), (2)")
        assert client.query("SELECT sum(n) FROM temp").result_rows == [(3,)]
        assert client.query(
            "SELECT getSetting('max_threads')", settings={"max_threads": 3}
        ).result_rows == [(3,)]
    with clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False) as client:
        frame = client.query_df("SELECT number AS n, toString(number) AS s FROM numbers(5)")
        assert frame["s"].tolist() == list("01234")
        assert (
            sum(
                len(block)
                for block in list(client.query_rows_stream("SELECT * FROM numbers(70000)").gen)
                or [()]
            )
            >= 0
        )
        assert client.raw_query("SELECT 1, 'a' FORMAT JSONCompact").startswith(b"{")


# The writer


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


def test_a_row_goes_out_after_its_delay(db, table):
    writer = db.clickhouse_writer(table, max_delay=0.05)
    writer.write({"p": 1, "n": 1})
    deadline = time.monotonic() + 10
    while writer.delivered != 1 and time.monotonic() < deadline:
        time.sleep(0.01)
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
    with pytest.raises(DatabaseError, match="nope"):
        writer.flush()
    with pytest.raises(DatabaseError, match="nope"):
        writer.write({"p": 1})
    report = writer.close()
    assert (report.delivered, report.undelivered) == (0, 1)
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


def test_who_waits_for_a_flush_is_told_when_the_time_of_closing_runs_out():
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
        while not writer._emptied:
            time.sleep(0.001)
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
    """Killed between token and part, and the producer with it: nobody was told of the loss."""
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


# In process


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
    assert os.getpid()
