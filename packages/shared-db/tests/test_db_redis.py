# mypy: disable-error-code="arg-type, assignment, attr-defined, dict-item, index, misc, possibly-undefined, redundant-expr, union-attr, unreachable, var-annotated"
"""Redis, killed and restarted, with lost answers, through Sentinel."""

import asyncio
import threading
import time

import pytest
import redis

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    LockLost,
    LockTimeout,
    OutcomeUnknown,
    PoolClosed,
    PoolExhausted,
    Unavailable,
    embedded,
)


@pytest.fixture
def db(redis_settings):
    with DatabaseConnections.from_settings(redis_settings) as db:
        db.initialize_redis(timeout=2)
        yield db


@pytest.fixture
def proxied(redis_store, redis_settings, fault_proxy):
    proxy = fault_proxy(redis_store)
    settings = {**redis_settings, "host": proxy.host, "port": proxy.port}
    with DatabaseConnections() as db:
        db.initialize_redis(**settings, timeout=1, socket_timeout=1)
        yield db, proxy


def test_the_client_is_the_drivers(db):
    assert isinstance(db.redis, redis.Redis)
    db.redis.hset("h", mapping={"a": 1})
    with db.redis.pipeline() as pipe:
        pipe.incr("n").incr("n")
        assert pipe.execute() == [1, 2]
    subscriber = db.redis.pubsub()
    subscriber.subscribe("c")
    assert subscriber.get_message(timeout=1)["type"] == "subscribe"
    db.redis.publish("c", "x")
    assert subscriber.get_message(timeout=1)["data"] == b"x"
    subscriber.close()
    script = db.redis.register_script("return ARGV[1]")
    assert script(args=["y"]) == b"y"


def test_a_command_that_counts_never_runs_twice(proxied):
    db, proxy = proxied
    db.redis.set("n", 0)
    for n in range(1, 6):
        proxy.lose_reply()
        with pytest.raises(OutcomeUnknown) as caught:
            db.redis.incr("n")
        assert isinstance(caught.value.__cause__, redis.ConnectionError)
        assert db.redis.get("n") == str(n).encode()
    proxy.lose_reply()
    with pytest.raises(OutcomeUnknown), db.redis.pipeline() as pipe:
        pipe.incr("n").incr("n").execute()
    assert db.redis.get("n") == b"7"


def test_a_command_that_reads_is_asked_again(proxied):
    db, proxy = proxied
    db.redis.set("k", "v")
    for _ in range(5):
        proxy.lose_reply()
        assert db.redis.get("k") == b"v"
    proxy.lose_reply()
    assert db.redis.set("k", "w") is True
    proxy.cut()
    assert db.redis.incr("n") == 1


async def test_the_same_holds_for_tasks(redis_store, redis_settings, fault_proxy):
    proxy = fault_proxy(redis_store)
    async with AsyncDatabaseConnections() as db:
        db.initialize_redis(**{**redis_settings, "port": proxy.port, "host": proxy.host}, timeout=1)
        await db.redis.set("n", 0)
        proxy.lose_reply()
        with pytest.raises(OutcomeUnknown):
            await db.redis.incr("n")
        proxy.lose_reply()
        assert await db.redis.get("n") == b"1"
        async with db.redis.pipeline() as pipe:
            assert await pipe.incr("n").execute() == [2]
        task = asyncio.create_task(db.redis.blpop("nothing", timeout=0))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await db.redis.get("n") == b"2"
        assert db.snapshot()["redis"]["in_use"] == 0


def test_a_restart_under_load_fails_at_most_the_calls_in_flight():
    with embedded.redis() as store, DatabaseConnections.from_settings(store.settings) as db:
        db.initialize_redis(timeout=10)
        stop, calls = threading.Event(), []

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
        while not any(end > back and error is None for _s, end, error in list(calls)):
            time.sleep(0.005)
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


async def test_what_was_published_is_not_taken_for_an_end(redis_settings):
    async with (
        AsyncDatabaseConnections.from_settings(redis_settings) as db,
        db.redis.pubsub() as subscriber,
    ):
        await subscriber.subscribe("c")
        assert (await subscriber.get_message(timeout=5))["type"] == "subscribe"
        for n in range(3):
            await db.redis.publish("c", n)
        await asyncio.sleep(0.05)
        got = [await subscriber.get_message(timeout=5) for _ in range(3)]
        assert [message["data"] for message in got] == [b"0", b"1", b"2"]


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


def test_exhaustion_and_close(redis_settings):
    db = DatabaseConnections()
    db.initialize_redis(**redis_settings, max_connections=2, timeout=0.1)
    held = [db.redis.connection_pool.get_connection() for _ in range(2)]
    with pytest.raises(PoolExhausted):
        db.redis.get("k")
    for one in held:
        db.redis.connection_pool.release(one)
    db.redis.get("k")
    assert db.close_all().cancelled == 0
    with pytest.raises(PoolClosed):
        _ = db.redis


def test_a_wrong_password_shows_no_secret(redis_settings):
    with DatabaseConnections() as db:
        db.initialize_redis(**{**redis_settings, "password": "s3cret-wrong"})
        with pytest.raises(Unavailable) as caught:
            db.redis.get("k")
    assert caught.value.lasting
    assert "s3cret-wrong" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.fixture
def sentinel(tmp_path):
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
            deadline = time.monotonic() + 15
            while time.monotonic() < deadline:
                with redis.Redis(
                    port=replica.port, password=replica.settings["password"]
                ) as client:
                    info = client.info("replication")
                with redis.Redis(port=watcher.port) as client:
                    known = client.sentinel_master("main")["num-slaves"]
                if info["master_link_status"] == "up" and known == 1:
                    break
                time.sleep(0.05)
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


# Locks


def test_tokens_rise_and_a_lock_excludes(db):
    tokens = []
    for _ in range(5):
        with db.lock("job", ttl=5) as lock:
            tokens.append(lock.token)
            with pytest.raises(LockTimeout), db.lock("job", ttl=5, timeout=0.05):
                pass
    db.redis.flushdb()
    with db.lock("job", ttl=5) as lock:
        tokens.append(lock.token)
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("backend", ["redis", "postgres"])
def test_many_contenders_one_holder(backend, redis_settings, postgres_settings):
    with DatabaseConnections.from_settings([redis_settings, postgres_settings]) as db:
        inside, tokens, most = [], [], []

        def work():
            for _ in range(5):
                with db.lock("shared", ttl=5, backend=backend, timeout=60) as lock:
                    inside.append(1)
                    most.append(len(inside))
                    tokens.append(lock.token)
                    time.sleep(0.001)
                    inside.pop()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tokens) == 20
        assert max(most) == 1
        assert tokens == sorted(set(tokens))


def test_a_lock_is_renewed_while_its_block_runs(db):
    with db.lock("job", ttl=1.5) as lock:
        for _ in range(20):
            time.sleep(0.1)
            lock.check()
        with pytest.raises(LockTimeout), db.lock("job", ttl=1, timeout=0):
            pass


def test_losing_the_lock_ends_the_block(db):
    reached = []
    with pytest.raises(LockLost), db.lock("job", ttl=0.5):
        db.redis.delete("shared-db:lock:{job}")
        for _ in range(1000):
            time.sleep(0.01)
        reached.append(1)
    assert not reached


async def test_losing_the_lock_cancels_the_task(redis_settings):
    async with AsyncDatabaseConnections.from_settings(redis_settings) as db:
        with pytest.raises(LockLost):
            async with db.lock("job", ttl=0.3):
                await db.redis.delete("shared-db:lock:{job}")
                await asyncio.sleep(60)
        assert asyncio.current_task().cancelling() == 0
        async with db.lock("job", ttl=10) as lock:
            assert lock.token > 0


async def test_a_cancellation_that_comes_with_the_answer_is_not_swallowed(redis_settings):
    async with AsyncDatabaseConnections.from_settings(redis_settings) as db:
        await db.redis.set("k", "v")
        for step in range(1, 40):  # cancelled after one step of the loop, after two, ...
            task = asyncio.create_task(db.redis.get("k"))
            for _ in range(step):
                await asyncio.sleep(0)
            if task.done() or not task.cancel():
                break
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_a_block_that_swallows_its_cancellation_is_cancelled_again(redis_settings):
    async with AsyncDatabaseConnections.from_settings(redis_settings) as db:
        swallowed = []
        with pytest.raises(LockLost):
            async with db.lock("job", ttl=0.3):
                try:
                    await db.redis.delete("shared-db:lock:{job}")
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    swallowed.append(1)
                await asyncio.sleep(60)
        assert swallowed
        assert asyncio.current_task().cancelling() == 0


async def test_losing_postgres_cancels_the_task(postgres_settings):
    async with AsyncDatabaseConnections.from_settings(postgres_settings) as db:
        await db.postgres.execute("SELECT 1")
        with pytest.raises(LockLost):
            async with db.lock("gone", ttl=0.3, backend="postgres"):
                await db.postgres.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                    "WHERE locktype = 'advisory' "
                    "AND application_name = current_setting('application_name')"
                )
                await asyncio.sleep(60)
        async with db.lock("gone", ttl=10, backend="postgres"):
            pass


HOLDER = """
import json, sys, time
from shared.db import DatabaseConnections, LockLost
settings = json.loads(sys.argv[1])
with DatabaseConnections() as db:
    db.initialize_redis(**settings)
    write = db.redis.register_script('''
        if tonumber(ARGV[1]) < tonumber(redis.call('get', 'fence') or '0') then return 0 end
        redis.call('set', 'fence', ARGV[1])
        return redis.call('rpush', 'written', ARGV[1])''')
    try:
        with db.lock("fenced", ttl=float(sys.argv[2]), timeout=60) as lock:
            print(lock.token, flush=True)
            sys.stdin.readline()
            print(write(args=[str(lock.token)]), flush=True)
            time.sleep(5)
    except LockLost:
        print("lost", flush=True)
"""


def test_a_holder_stopped_past_its_time_is_fenced_off(db, redis_settings, python):
    import json
    import signal

    first = python(HOLDER, json.dumps(dict(redis_settings)), 0.5)
    old = int(first.stdout.readline())
    first.send_signal(signal.SIGSTOP)
    second = python(HOLDER, json.dumps(dict(redis_settings)), 60)
    new = int(second.stdout.readline())
    assert new > old
    second.stdin.write("go\n")
    second.stdin.flush()
    assert int(second.stdout.readline()) == 1
    first.stdin.write("go\n")
    first.stdin.flush()
    first.send_signal(signal.SIGCONT)
    rest = first.stdout.read().split()
    # It was told, or it tried to write and was refused; it never wrote.
    assert rest in (["lost"], ["0", "lost"])
    assert db.redis.lrange("written", 0, -1) == [str(new).encode()]


# Leaves the block of a lock that its parent holds.
FORKED_HOLDER = """
import json, os, sys
from shared.db import DatabaseConnections, LockTimeout
with DatabaseConnections() as db:
    getattr(db, f"initialize_{sys.argv[1]}")(**json.loads(sys.argv[2]))
    with db.lock("forked", ttl=30, backend=sys.argv[1]):
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
            try:
                with db.lock("forked", ttl=1, backend=sys.argv[1], timeout=0.05):
                    print("free")
            except LockTimeout:
                print("held")
    if not child:
        os._exit(0)
    with db.lock("forked", ttl=1, backend=sys.argv[1], timeout=5):
        print("given back")
"""


@pytest.mark.parametrize("backend", ["redis", "postgres"])
def test_a_forked_child_does_not_free_its_parents_lock(
    backend, redis_settings, postgres_settings, python
):
    import json

    settings = {"redis": redis_settings, "postgres": postgres_settings}[backend]
    out, err = python(FORKED_HOLDER, backend, json.dumps(dict(settings))).communicate()
    assert out.split("\n") == ["held", "given back", ""], err
