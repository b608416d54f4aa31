"""Shared clients, and lost answers told apart."""

import asyncio
import threading

import clickhouse_connect
import pytest

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    OutcomeUnknown,
    Unavailable,
    embedded,
)


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
