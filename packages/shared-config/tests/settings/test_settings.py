"""The lazy settings, classes of the user, copies, pickles and every shape of value."""

import copy
import enum
import json
import os
import pickle
import subprocess
import sys
import threading
from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

import shared.config._settings.settings as module
from shared.config import ConfigurationError, DatabaseSettings, Secret, Settings, load_settings


def load(cls=Settings, **env):
    return load_settings(cls, env=env, dotenv=None, secrets_dir=None)


@pytest.fixture
def lazy(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return module._Unloaded.__new__(module._Unloaded)


def test_the_defaults():
    settings = load()
    database = settings.database
    assert [u.reveal() for u in (database.postgres_url, database.clickhouse_url)] == [
        "postgresql://optiinfra@localhost:5432/optiinfra",
        "clickhouse://default@localhost:8123/optiinfra",
    ]
    assert [u.reveal() for u in (database.qdrant_url, database.redis_url)] == [
        "http://localhost:6333",
        "redis://localhost:6379/0",
    ]
    assert database.postgres_password is database.redis_password is None
    assert database.clickhouse_password is database.qdrant_api_key is None
    assert (settings.orchestrator.url, settings.mock_cloud.url) == (
        "http://localhost:8080",
        "http://localhost:5000",
    )
    assert (settings.agent.port, settings.logging.level, settings.debug) == (8001, "INFO", False)
    agent = settings.agent
    numbers = (agent.heartbeat_interval, agent.task_timeout, agent.max_concurrent_tasks)
    assert [(n, type(n)) for n in numbers] == [(30, int), (300, int), (5, int)]
    assert settings.is_development
    assert not settings.is_production


@pytest.mark.parametrize(
    ("text", "name"),
    [("prod", "production"), ("PRODUCTION", "production"), ("dev", "development"), ("ci", "test")],
)
def test_other_words_for_an_environment(text, name):
    assert load(ENVIRONMENT=text).environment == name
    assert load(ENVIRONMENT=text).is_production is (name == "production")


def test_nothing_is_read_at_import():
    script = """
import os
import shared.config
os.environ["POSTGRES_PORT"] = "6543"
from shared.config import settings
assert isinstance(settings, shared.config.Settings)
print(settings.database.postgres_port)
"""
    env = {**os.environ, "POSTGRES_PORT": "nonsense"}  # would fail if it were read at import
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env
    )
    assert done.stdout.strip() == "6543"


def test_optional_libraries_load_when_they_are_used():
    script = """
import sys, shared.config
shared.config.settings.debug
heavy = {"openfeature", "cryptography", "yaml", "psycopg", "redis", "chdb", "numpy"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


USES = {
    "repr": repr,
    "str": str,
    "attribute": lambda s: s.debug,
    "dump": lambda s: s.model_dump(),
    "json": lambda s: s.model_dump_json(),
    "property": lambda s: s.is_production,
    "iteration": dict,
    "vars": vars,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda s: s.model_copy(),
    "pickle": lambda s: pickle.loads(pickle.dumps(s)),
    "equality": lambda s: s == load(),
    "hash": hash,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_any_use_loads_and_makes_a_plain_settings(use, lazy):
    assert isinstance(lazy, Settings)
    assert type(lazy) is module._Unloaded
    used = use(lazy)
    assert type(lazy) is Settings
    assert used == use(load())
    if isinstance(used, BaseModel):
        assert type(used) is Settings


def test_a_loaded_read_is_an_attribute_read(lazy):
    assert lazy.debug is False
    assert type(lazy) is Settings
    assert "__getattribute__" not in vars(Settings)
    assert "database" in vars(lazy)
    assert "postgres_url" in vars(lazy.database)


def test_the_old_names_of_the_agent():
    agent = load(AGENT_TYPE="cost", HEARTBEAT_INTERVAL="45", TASK_TIMEOUT="2.5").agent
    assert agent.agent_type == agent.type == "cost"
    assert list(range(agent.heartbeat_interval)) == list(range(45))
    assert agent.task_timeout == 2.5
    assert type(load(TASK_TIMEOUT="60.0").agent.task_timeout) is int


def test_eight_threads_load_once(lazy, monkeypatch):
    loads, start = [], threading.Barrier(8)
    original = module.load_settings

    def counted(*arguments, **options):
        loads.append(1)
        return original(*arguments, **options)

    monkeypatch.setattr(module, "load_settings", counted)
    seen = []

    def read():
        start.wait()
        seen.append(lazy.database)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]
    assert len({id(database) for database in seen}) == 1


def test_a_failed_load_is_tried_again(lazy, monkeypatch):
    monkeypatch.setenv("AGENT_PORT", "x")
    with pytest.raises(ConfigurationError, match="AGENT_PORT"):
        repr(lazy.agent)
    monkeypatch.setenv("AGENT_PORT", "9")
    assert lazy.agent.port == 9


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Kafka(BaseModel):
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 9092
    password: Secret | None = None


class Cache(BaseModel):
    size: int = 10
    ttl: float = 60.0
    tags: dict[str, int] = {"a": 1}


class App(Settings):
    kafka: Kafka | None = None
    cache: Cache = Cache(size=20, ttl=5)
    hosts: list[str] = []  # noqa: RUF012 - pydantic copies it
    ports: set[int] = set()  # noqa: RUF012 - pydantic copies it
    weights: dict[str, float] = {}  # noqa: RUF012 - pydantic copies it
    colour: Colour = Colour.RED
    ratio: Annotated[float, Field(ge=0, lt=1)] = 0.5
    pair: tuple[int, int] | None = None
    old_name: str = Field(default="", validation_alias=AliasChoices("NEW_NAME", "OLD_NAME"))
    renamed: int = Field(default=0, alias="RENAMED_TO")
    key: SecretStr | None = None


SHAPES: list[tuple[dict[str, str], str, Any]] = [
    ({"HOSTS": "a, b ,c"}, "hosts", ["a", "b", "c"]),
    ({"HOSTS": '["a,b", "c"]'}, "hosts", ["a,b", "c"]),
    ({"HOSTS": "a"}, "hosts", ["a"]),
    ({"PORTS": "1,2"}, "ports", {1, 2}),
    ({"PAIR": "1,2"}, "pair", (1, 2)),
    ({"WEIGHTS": '{"a": 0.5}'}, "weights", {"a": 0.5}),
    ({"COLOUR": "blue"}, "colour", Colour.BLUE),
    ({"NEW_NAME": "n", "OLD_NAME": "o"}, "old_name", "n"),
    ({"OLD_NAME": "o"}, "old_name", "o"),
    ({"RENAMED_TO": "5"}, "renamed", 5),
    ({"KEY": "s"}, "key", SecretStr("s")),
    ({"KAFKA_HOST": "k"}, "kafka", Kafka(host="k")),
    ({"KAFKA": '{"host": "k", "port": 1}', "KAFKA_PORT": "2"}, "kafka", Kafka(host="k", port=2)),
    ({"KAFKA_HOST": "k", "KAFKA_PASSWORD": "p"}, "kafka", Kafka(host="k", password=Secret("p"))),
    ({}, "kafka", None),
    ({}, "cache", Cache(size=20, ttl=5)),
    ({"CACHE_TAGS": '{"b": 2}'}, "cache", Cache(size=20, ttl=5, tags={"b": 2})),
    ({"CACHE_SIZE": "30"}, "cache", Cache(size=30, ttl=5)),
]


@pytest.mark.parametrize(("env", "field", "value"), SHAPES)
def test_every_shape_of_value(env, field, value):
    assert getattr(load(App, **env), field) == value


WRONG = [
    ({"HOSTS": "[1"}, "HOSTS: '[1' is not JSON or a list with commas"),
    ({"WEIGHTS": "a"}, "WEIGHTS: 'a' is not JSON or KEY=VALUE pairs with commas"),
    ({"PORTS": "1,x"}, "PORTS: 'x' is not a whole number"),
    ({"COLOUR": "green"}, "COLOUR: 'green' is not one of red, blue"),
    ({"RATIO": "1"}, "RATIO: 1 is not >= 0 and < 1"),
    ({"RATIO": "much"}, "RATIO: 'much' is not a number >= 0 and < 1"),
    ({"KAFKA_PORT": "0"}, "KAFKA_PORT: 0 is not in 1..65535"),
    ({"KAFKA_PORT": "1"}, "KAFKA_HOST: is required and not set"),
    ({"DEBUG": "2"}, "DEBUG: 2 is not true or false (also 1/0, yes/no, on/off)"),
    ({"HEARTBEAT_INTERVAL": "0"}, "HEARTBEAT_INTERVAL: 0 is not > 0"),
    ({"HEARTBEAT_INTERVAL": "inf"}, "HEARTBEAT_INTERVAL: 'inf' is not a finite number"),
    ({"REDIS_DB": "-1"}, "REDIS_DB: -1 is not >= 0"),
    ({"MAX_CONCURRENT_TASKS": "1.5"}, "MAX_CONCURRENT_TASKS: 1.5 is not a whole number >= 1"),
    (
        {"REDIS_PORT": "tcp://10.0.0.1:6379"},
        (
            "REDIS_PORT: 'tcp://10.0.0.1:6379' is not a whole number in 1..65535; Kubernetes sets "
            "it for a service of that name: use enableServiceLinks: false"
        ),
    ),
    (
        {"LOG_LEVEL": "x" * 200},
        f"LOG_LEVEL: '{'x' * 75}...' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("env", "message"), WRONG)
def test_what_came_and_what_is_allowed(env, message):
    with pytest.raises(ConfigurationError) as caught:
        load(App, **env)
    assert message in [str(problem) for problem in caught.value.problems]


def test_a_prefix_is_for_the_own_fields():
    class Prefixed(Settings):
        model_config = SettingsConfigDict(env_prefix="APP_")
        workers: int = 1

    app = load(Prefixed, APP_WORKERS="5", WORKERS="6", AGENT_PORT="7", DEBUG="1")
    assert (app.workers, app.agent.port, app.debug) == (5, 7, True)


def test_a_delimiter_as_in_pydantic_settings():
    class Nested(Settings):
        model_config = SettingsConfigDict(env_nested_delimiter="__")
        kafka: Kafka | None = None

    assert load(Nested, KAFKA__HOST="k", KAFKA_HOST="no").kafka == Kafka(host="k")


def test_a_required_group_says_which_of_its_variables_miss():
    class Needs(Settings):
        kafka: Kafka

    with pytest.raises(ConfigurationError, match=r"^KAFKA_HOST: is required and not set$"):
        load(Needs)


def test_it_is_a_class_of_pydantic_settings(tmp_path):
    class Extra(PydanticBaseSettingsSource):
        def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
            return None, field_name, False

        def __call__(self) -> dict[str, Any]:
            return {"workers": 77, "name": "from-extra"}

    class Sourced(Settings):
        workers: int = 1
        name: str = ""

        @classmethod
        def settings_customise_sources(cls, settings_cls, **sources):  # type: ignore[override]
            return (
                *super().settings_customise_sources(settings_cls, **sources),
                Extra(settings_cls),
            )

    assert issubclass(Sourced, BaseSettings)
    app = load(Sourced, WORKERS="5")
    assert (app.workers, app.name) == (5, "from-extra")


def test_the_class_itself_reads_the_same_sources(monkeypatch, tmp_path):
    class Own(Settings):
        model_config = SettingsConfigDict(env_file=tmp_path / "own.env", secrets_dir=tmp_path / "s")
        workers: int = 1
        pool: int = 1

    (tmp_path / "own.env").write_text("WORKERS=2")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "POOL").write_text("3")
    assert (Own().workers, Own().pool) == (2, 3)
    monkeypatch.setenv("WORKERS", "4")
    assert Own().workers == 4
    assert Own(workers=5).workers == 5
    assert Own(_env_file=None, _secrets_dir=None).pool == 1
    (tmp_path / "other.env").write_text("POOL=8")
    assert Own(_env_file=tmp_path / "other.env").pool == 8
    with pytest.raises(ConfigurationError, match="WORKERS: 'x' is not a whole number"):
        Own(workers="x")
    assert load_settings(Own, {}).workers == 2  # the class's own file, not ./.env
    assert load_settings(Own, {}, None).workers == 1


def test_arguments_go_into_groups_and_leave_the_rest_to_the_other_sources():
    settings = load_settings(
        env={"POSTGRES_HOST": "env", "POSTGRES_PORT": "1"},
        dotenv=None,
        database={"postgres_host": "argument"},
        agent={"name": "argument"},
    )
    assert (settings.database.postgres_host, settings.database.postgres_port) == ("argument", 1)
    assert settings.agent.name == "argument"
    whole = load_settings(env={}, dotenv=None, database=DatabaseSettings(postgres_host="x"))
    assert whole.database.postgres_url.host == "x"


def test_an_argument_that_is_not_known_is_refused_with_the_near_name():
    with pytest.raises(ConfigurationError) as caught:
        load_settings(env={}, dotenv=None, databse={}, agent={"prot": 1})
    assert [str(p) for p in caught.value.problems] == [
        "agent.prot: is not a known argument; did you mean port?",
        "databse: is not a known argument; did you mean database?",
    ]
    with pytest.raises(ConfigurationError, match=r"^POSTGRES_PORT: is of type int in env; text is"):
        load_settings(env={"POSTGRES_PORT": 5432}, dotenv=None)  # type: ignore[dict-item]
    with pytest.raises(ConfigurationError, match="cls must be a class derived from Settings"):
        load_settings(dict)  # type: ignore[type-var]


def test_the_users_validators_speak_for_the_variable():
    class Even(Settings):
        number: int = 0

        @field_validator("number")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("is not even")
            return value

    with pytest.raises(ConfigurationError, match=r"^NUMBER: 3 is not even$"):
        load(Even, NUMBER="3")


def test_settings_are_read_only_and_copies_are_validated():
    settings = load()
    with pytest.raises(AttributeError, match="debug is read-only"):
        settings.debug = True
    with pytest.raises(AttributeError, match="postgres_host is read-only"):
        settings.database.postgres_host = "x"
    with pytest.raises(AttributeError, match="port is read-only"):
        del settings.agent.port
    copied = settings.model_copy(update={"debug": "yes"})
    assert copied.debug is True
    assert copied.database is settings.database
    with pytest.raises(ConfigurationError, match=r"AGENT_PORT: 0 is not in 1\.\.65535"):
        settings.agent.model_copy(update={"port": 0})
    with pytest.raises(ConfigurationError, match="LOG_LEVEL"):
        settings.model_copy(update={"logging": {"level": "LOUD"}})


def test_two_loads_of_the_same_values_are_equal():
    assert load(AGENT_PORT="1") == load(AGENT_PORT="1")
    assert load(AGENT_PORT="1") != load(AGENT_PORT="2")
    assert load(API="1") == load()


def test_a_pickle_arrives_with_everything_but_the_secrets():
    settings = load(POSTGRES_PASSWORD="p", AGENT_PORT="5")
    arrived = pickle.loads(pickle.dumps(settings))
    assert arrived.agent == settings.agent
    with pytest.raises(ConfigurationError, match="came out of a pickle"):
        arrived.database.postgres_password.reveal()


def test_an_error_survives_a_pickle():
    with pytest.raises(ConfigurationError) as caught:
        load(AGENT_PORT="0", LOG_LEVEL="x")
    arrived = pickle.loads(pickle.dumps(caught.value))
    assert str(arrived) == str(caught.value)
    assert arrived.errors() == caught.value.errors()
    assert json.loads(arrived.json())[0]["variable"] == "LOG_LEVEL"
    assert isinstance(arrived, ValueError)
    assert str(ConfigurationError("one")) == "one"
