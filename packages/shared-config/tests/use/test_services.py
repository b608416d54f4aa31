"""Checks of services: up, wrong password, killed, refusing and hanging, under one deadline."""

import json
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from shared.config import ConfigValidator, load_settings


@pytest.fixture
def env(postgres, valkey, clickhouse_port, qdrant_port, password):
    return {
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": "app",
        "POSTGRES_DB": "postgres",
        "POSTGRES_PASSWORD": password,
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(valkey.port),
        "REDIS_PASSWORD": password,
        "CLICKHOUSE_HOST": "127.0.0.1",
        "CLICKHOUSE_PORT": str(clickhouse_port),
        "CLICKHOUSE_USER": "app",
        "CLICKHOUSE_DB": "metrics",
        "CLICKHOUSE_PASSWORD": password,
        "QDRANT_HOST": "127.0.0.1",
        "QDRANT_PORT": str(qdrant_port),
        "QDRANT_API_KEY": password,
    }


def check(env, timeout=10, **options):
    settings = load_settings(env=env, dotenv=None, secrets_dir=None)
    return ConfigValidator(settings, **options).validate_services(timeout)


def test_all_up(env):
    result = check(env)
    assert result.is_valid, str(result)
    assert {name: health.status for name, health in result.health.items()} == {
        "postgres": "up",
        "clickhouse": "up",
        "qdrant": "up",
        "redis": "up",
    }
    assert all(0 < health.latency < 10 for health in result.health.values())
    assert not result.warnings
    json.dumps(result.to_dict())


WRONG = {
    "POSTGRES_PASSWORD": ("postgres", "check the user and the password of POSTGRES"),
    "REDIS_PASSWORD": ("redis", "check the user and the password of REDIS"),
    "CLICKHOUSE_PASSWORD": ("clickhouse", "check CLICKHOUSE_USER and CLICKHOUSE_PASSWORD"),
    "CLICKHOUSE_DB": ("clickhouse", "create it or correct CLICKHOUSE_DB"),
    "POSTGRES_DB": ("postgres", "create the database or correct POSTGRES_DB"),
    "QDRANT_API_KEY": ("qdrant", "check QDRANT_API_KEY"),
}


@pytest.mark.parametrize(("name", "store", "remedy"), [(n, *w) for n, w in WRONG.items()])
def test_a_wrong_credential_or_database_is_named_and_not_shown(name, store, remedy, env):
    wrong = "wr0ng-mArKeR"
    result = check({**env, name: wrong})
    (finding,) = result.critical
    assert finding.variable == store
    assert finding.remedy == remedy
    assert finding.level == "critical"
    assert result.health[store].status == "down"
    assert not result.health[store].ok
    assert all(health.ok for name, health in result.health.items() if name != store)
    if not name.endswith("_DB"):
        assert wrong not in str(result) + repr(result) + json.dumps(result.to_dict())


def test_refusing(env, closed_port):
    ports = {f"{s}_PORT": str(closed_port) for s in ("POSTGRES", "REDIS", "CLICKHOUSE", "QDRANT")}
    result = check({**env, **ports})
    assert len(result.critical) == 4
    for finding in result.critical:
        upper = finding.variable.upper()
        assert finding.remedy == f"start it, or correct {upper}_HOST and {upper}_PORT"
        assert f"127.0.0.1:{closed_port}" in finding
        assert "refused" in finding


def test_hanging_is_bounded_by_one_deadline(env, hanging_port):
    ports = {f"{s}_PORT": str(hanging_port) for s in ("POSTGRES", "REDIS", "CLICKHOUSE", "QDRANT")}
    result = check({**env, **ports}, timeout=0.5)
    assert {health.status for health in result.health.values()} == {"timeout"}
    for finding in result.critical:
        assert f"{finding.variable.upper()}_PORT" in finding.remedy


def test_the_checks_run_side_by_side(env, serve):
    """Each of the two answers only while the other one is being asked."""
    meeting = threading.Barrier(2)

    def clickhouse(url, headers):
        meeting.wait(10)
        return 200, b"1\n"

    def qdrant(url, headers):
        if url.path == "/readyz":
            meeting.wait(10)
        return 200, b"{}"

    ports = {"CLICKHOUSE_PORT": str(serve(clickhouse)), "QDRANT_PORT": str(serve(qdrant))}
    assert check({**env, **ports}).is_valid


def test_one_hanging_store_does_not_spoil_the_others(env, postgres, valkey):
    with postgres.frozen(), valkey.frozen():
        result = check(env, timeout=1)
    assert {name: health.status for name, health in result.health.items()} == {
        "postgres": "timeout",
        "clickhouse": "up",
        "qdrant": "up",
        "redis": "timeout",
    }
    # ... and once they go on, they are up.
    assert check(env).is_valid


def test_killed_and_restarted(env, valkey):
    valkey.kill()
    result = check(env)
    assert [finding.variable for finding in result.critical] == ["redis"]
    valkey.start()
    assert check(env).is_valid


def test_a_name_that_does_not_resolve(env):
    result = check({**env, "REDIS_HOST": "no-such-host.invalid"})
    (finding,) = result.critical
    assert finding.remedy == "correct REDIS_HOST"


def test_something_else_behind_the_port(env, serve):
    port = serve(lambda url, headers: (200, b"<html>"))
    result = check({**env, "CLICKHOUSE_PORT": str(port)})
    assert "this is not ClickHouse's HTTP interface" in result.critical[0]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk():
            connection, _ = listener.accept()
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")
            connection.close()

        thread = threading.Thread(target=talk)
        thread.start()
        result = check({**env, "QDRANT_PORT": str(listener.getsockname()[1])})
        thread.join()
    assert result.health["qdrant"].status == "down"
    assert "no HTTP answer" in result.critical[0] or "reset" in result.critical[0]


def test_a_qdrant_that_is_loading(env, serve):
    port = serve(lambda url, headers: (503, b"shards are not ready"))
    result = check({**env, "QDRANT_PORT": str(port)})
    assert "HTTP 503: is not ready yet" in result.critical[0]


def test_a_store_that_nobody_configured_is_only_a_warning(closed_port):
    env = {"REDIS_PORT": str(closed_port)}
    result = check(env, stores=["redis"])
    assert result.critical
    settings = load_settings(env={}, dotenv=None, secrets_dir=None)
    moved = settings.model_copy(update={"database": settings.database.model_copy()})
    result = ConfigValidator(moved, stores=["qdrant"]).validate_services(2)
    if not result.health["qdrant"].ok:  # a Qdrant may run on this machine
        assert [finding.level for finding in result.warnings] == ["warning"]
        assert result.is_valid


def test_embedded_stores_are_not_connected_to():
    env = {"CLICKHOUSE_URL": "chdb://memory", "QDRANT_URL": ":memory:"}
    result = check(env, stores=["clickhouse", "qdrant"])
    statuses = {health.status for health in result.health.values()}
    assert statuses <= {"embedded", "unknown"}  # unknown where the wheel is tested alone
    assert result.is_valid


@pytest.mark.parametrize(
    ("module", "extra", "store"),
    [("psycopg", "postgres", "postgres"), ("redis", "redis", "redis")],
)
def test_a_missing_driver_is_named_with_its_extra(module, extra, store):
    script = f"""
import sys
sys.modules["{module}"] = None
from shared.config import ConfigValidator, load_settings
settings = load_settings(env={{"{store.upper()}_PORT": "1"}}, dotenv=None)
result = ConfigValidator(settings, stores=["{store}"]).validate_services()
print(result.warnings[0], result.health["{store}"].status, result.is_valid)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert f"pip install 'shared-db[{extra}]'" in done.stdout
    assert done.stdout.strip().endswith("unknown True")


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), True])
def test_a_timeout_is_seconds(timeout):
    kind = TypeError if timeout is True else ValueError
    with pytest.raises(kind, match=r"timeout must be a finite number above 0, not"):
        ConfigValidator().validate_services(timeout)


def test_a_process_ends_although_a_check_hangs(hanging_port):
    script = f"""
from shared.config import ConfigValidator, load_settings
settings = load_settings(env={{"REDIS_URL": "redis://127.0.0.1:{hanging_port}"}}, dotenv=None)
print(ConfigValidator(settings, stores=["redis"]).validate_services(0.2).health["redis"].status)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "timeout"


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), None, "5", True])
def test_a_wrong_timeout_is_refused_at_once(bad):
    validator = ConfigValidator(load_settings(env={}, dotenv=None), stores=[])
    for validate in (validator.validate_services, validator.validate_all):
        with pytest.raises(
            (ValueError, TypeError), match="timeout must be a finite number above 0"
        ):
            validate(bad)


@pytest.mark.parametrize("long", [timedelta(seconds=30), 1e10, 1e300])
def test_long_timeouts_are_served(long):
    env = {f"{name}_PORT": "1" for name in ("POSTGRES", "CLICKHOUSE", "QDRANT", "REDIS")}
    result = check(env, long)
    assert {health.status for health in result.health.values()} <= {"down", "unknown"}
