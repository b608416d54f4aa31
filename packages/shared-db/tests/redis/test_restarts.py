"""Redis, killed, restarted, frozen, loading, and replaced by a Sentinel."""

import asyncio
import threading
import time

import pytest
import redis

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    Unavailable,
    embedded,
)


def test_a_restart_under_load_fails_at_most_the_calls_in_flight(until):
    with embedded.redis() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.initialize_redis(timeout=10)
        stop = threading.Event()
        calls: list[tuple[float, float, Exception | None]] = []

        def run():
            while not stop.is_set():
                started = time.monotonic()
                try:
                    db.redis.incr("n")
                except Exception as error:
                    calls.append((started, time.monotonic(), error))
                else:
                    calls.append((started, time.monotonic(), None))

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        store.kill()
        time.sleep(0.7)
        store.start()
        back = time.monotonic()
        until(
            "a call that succeeds after the start",
            lambda: any(end > back and error is None for _s, end, error in list(calls)),
        )
        time.sleep(0.2)
        stop.set()
        for thread in threads:
            thread.join()
        errors = [error for *_, error in calls if error is not None]
        assert len(errors) <= 4
        assert all(isinstance(error, Unavailable) for error in errors)
        assert all(error is None for start, _e, error in calls if start > back)


def test_thirty_of_thirty_after_a_restart_with_ten_idle():
    with embedded.redis() as store, DatabaseConnections.from_settings(store.settings) as db:
        pool = db.redis.connection_pool
        held = [pool.get_connection() for _ in range(10)]
        for one in held:
            pool.release(one)
        store.restart()
        assert [db.redis.incr("n") for _ in range(30)] == list(range(1, 31))


@pytest.mark.parametrize("blocked", [False, True], ids=["loop runs", "loop is blocked"])
async def test_thirty_of_thirty_for_tasks(blocked):
    with embedded.redis() as store:
        async with AsyncDatabaseConnections.from_settings(store.settings) as db:
            pool = db.redis.connection_pool
            held = [await pool.get_connection() for _ in range(10)]
            for one in held:
                await pool.release(one)
            if blocked:  # it has not seen the end of any connection
                store.restart()
            else:
                await asyncio.to_thread(store.restart)
            numbers = await asyncio.gather(*(db.redis.incr("n") for _ in range(30)))
            assert sorted(numbers) == list(range(1, 31))


def test_a_server_that_reads_its_data_in_is_waited_for(db, redis_settings, monkeypatch):
    """Real loading is over too soon to be met: the driver says so itself, a few times."""
    said = []

    def loading(client, *arguments, **options):
        if len(said) < 3:
            said.append(arguments)
            raise redis.exceptions.BusyLoadingError("loading the dataset in memory")
        return real(client, *arguments, **options)

    real = redis.Redis.execute_command
    monkeypatch.setattr(redis.Redis, "execute_command", loading)
    assert db.redis.incr("n") == 1
    assert len(said) == 3
    said.clear()
    db.initialize_redis(name="hasty", **redis_settings, timeout=0.01)
    with pytest.raises(Unavailable, match="not ready"):
        db.get_redis_client("hasty").incr("n")


def test_a_health_check_of_a_dead_or_frozen_server_fails_fast():
    with embedded.redis() as store, DatabaseConnections.from_settings(store.settings) as db:
        check = db.health_checks()["redis"]
        assert check() is None
        store.pause()
        with pytest.raises(Unavailable):
            check()
        store.resume()
        assert check() is None
        store.kill()
        with pytest.raises(Unavailable):
            check()
        assert not db.ping(0.2)["redis"].ok
        store.start()
        assert check() is None


@pytest.fixture
def sentinel(until):
    """A primary, a replica and a Sentinel of our own."""
    with (
        embedded.redis(options={"repl-diskless-sync-delay": 0}) as primary,
        embedded.redis(
            password=primary.settings["password"],
            options={
                "replicaof": f"127.0.0.1 {primary.port}",
                "masterauth": f'"{primary.settings["password"]}"',
            },
        ) as replica,
    ):
        watcher = embedded.sentinel("main", primary, quorum=1, down_after=0.3)
        with watcher:

            def ready():
                with redis.Redis(
                    port=replica.port, password=replica.settings["password"]
                ) as client:
                    info = client.info("replication")
                with redis.Redis(port=watcher.port) as client:
                    known = client.sentinel_master("main")["num-slaves"]
                return info["master_link_status"] == "up" and known == 1

            until("a replica that is linked and known", ready)
            yield primary, replica, watcher


def test_a_sentinel_failover_loses_no_later_call(sentinel):
    primary, replica, watcher = sentinel
    with DatabaseConnections() as db:
        db.initialize_redis(
            sentinels=[(watcher.host, watcher.port)],
            service="main",
            password=primary.settings["password"],
            timeout=20,
        )
        assert db.redis.set("before", 1)
        assert db.redis.wait(1, 2000) == 1
        primary.kill()
        assert [db.redis.set(f"k{n}", n) for n in range(20)] == [True] * 20
        assert db.redis.get("before") == b"1"
        with redis.Redis(port=replica.port, password=replica.settings["password"]) as client:
            assert client.get("k19") == b"19"
