"""What others do with settings: hash them, dump them, return them from FastAPI."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from shared.config import BaseConfig, ConfigurationError, Secret, Settings, load_settings

ENV = {"POSTGRES_PASSWORD": "s3cret", "REDIS_URL": "redis://:s3cret@cache/1", "KEY": "s3cret"}


class Inner(BaseModel):
    tags: list[str] = ["a"]


class App(Settings):
    key: Secret | None = None
    other: SecretStr = SecretStr("s3cret")
    hosts: list[str] = []  # noqa: RUF012 - pydantic copies it
    limits: dict[str, set[int]] = {}  # noqa: RUF012 - pydantic copies it
    inner: Inner = Inner()
    wait: timedelta = timedelta(seconds=5)


def load(cls: Any = App, **env: str) -> Any:
    return load_settings(cls, env=env, dotenv=None, secrets_dir=None)


def test_settings_are_hashable():
    one, two = load(HOSTS="a,b", LIMITS='{"a": [1, 2]}'), load(HOSTS="a,b", LIMITS='{"a": [2, 1]}')
    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two, load(HOSTS="a")}) == 2
    assert hash(one.database) == hash(two.database)

    @functools.cache
    def url(settings: Settings) -> str:
        return settings.orchestrator.url

    assert url(one) is url(two)

    class Component(BaseConfig):
        hosts: list[str] = []  # noqa: RUF012 - pydantic copies it

    assert hash(Component()) == hash(Component())


def test_a_dump_shows_no_secret_and_is_plain():
    dump = load(**ENV).model_dump()
    assert dump["database"]["postgres_password"] == dump["key"] == "[REDACTED]"
    assert dump["database"]["redis_url"] == "redis://:[REDACTED]@cache/1"
    assert dump["database"]["qdrant_api_key"] is None
    assert "s3cret" not in repr(dump)


def test_what_a_dump_shows_is_no_secret_again():
    dump = load(**ENV).model_dump(include={"key"})
    with pytest.raises(ConfigurationError, match="KEY: is what a dump shows instead of a secret"):
        App(**dump, _env_file=None, _secrets_dir=None)


def test_fastapi_returns_a_dump_and_the_settings_themselves():
    fastapi = pytest.importorskip("fastapi")
    testclient = pytest.importorskip("fastapi.testclient")
    app = fastapi.FastAPI()
    settings = load(**ENV)
    app.get("/dump")(lambda: settings.model_dump())  # noqa: PLW0108 - no arguments of its own
    app.get("/nested")(lambda: {"settings": settings.model_dump()})
    app.get("/whole")(lambda: settings)
    client = testclient.TestClient(app)
    for path in ("/dump", "/nested", "/whole"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "s3cret" not in answer.text
        assert "[REDACTED]" in json.dumps(answer.json())


FORK = """
import os, threading, warnings, sys
warnings.simplefilter("ignore", DeprecationWarning)
from shared.config import BaseConfig, ConfigRegistry, FeatureFlags, settings
from shared.config._settings import settings as module
from shared.config._use import watch
registry = ConfigRegistry(env={}, dotenv=None)
registry.register("one", BaseConfig)
flags = FeatureFlags("flags.json", interval=3600)
flags.start()
held, go = threading.Event(), threading.Event()
def hold():
    with module._lock, watch._lock, registry._lock, flags._lock, flags._poller._lock:
        held.set()
        go.wait(60)
thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    assert settings.debug is False
    registry.get("one")
    open("flags.json", "w").write('{"on": false}')
    assert flags.check() and not flags.is_enabled("on")
    assert flags._poller._thread.is_alive()
    print("served", flush=True)
    os._exit(0)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
go.set()
thread.join()
flags.shutdown()
sys.exit(code)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fork_while_threads_hold_every_lock(tmp_path):
    (tmp_path / "flags.json").write_text('{"on": true}')
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "served\n"), done.stderr
