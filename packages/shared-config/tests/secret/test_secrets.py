"""A marker goes into every secret by every route, and must come out of none of the exits."""

import copy
import io
import json
import logging
import pickle
import pprint
import traceback
import warnings
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import PostgresDsn, SecretBytes, SecretStr

from shared.config import (
    ConfigurationError,
    ConfigValidator,
    Keyring,
    PostgresURL,
    RedisURL,
    Secret,
    Settings,
    encrypt_config_value,
    load_settings,
)
from shared.config.__main__ import main
from shared.config._use.docs import shown_values

MARKER = "mArKeR-7f3a"


class App(Settings):
    api_token: Secret | None = None
    tokens: list[Secret] = []  # noqa: RUF012 - pydantic copies it
    plain_token: str = ""


TEXT = Keyring.generate("k1")
KEYRING = Keyring.parse(TEXT)
OTHER_KEYRING = Keyring.generate("k1")

# Every secret variable, with a value of its own shape.
VALUES = {
    "POSTGRES_PASSWORD": MARKER,
    "POSTGRES_URL": f"postgresql://u:{MARKER}@h:1/d?sslmode=require&password={MARKER}",
    "CLICKHOUSE_PASSWORD": MARKER,
    "CLICKHOUSE_URL": f"clickhouse://u:{MARKER}@h:1/d",
    "QDRANT_API_KEY": MARKER,
    "QDRANT_URL": f"https://{MARKER}@h:1?api_key={MARKER}",
    "REDIS_PASSWORD": MARKER,
    "REDIS_URL": f"redis://{MARKER}@h:1/0",
    "API_TOKEN": MARKER,
    "TOKENS": f"{MARKER},b",
    "PLAIN_TOKEN": MARKER,
}
# Values that are refused, for each URL: what a password with special characters makes of it.
MALFORMED = [
    f"postgresql://u:pa@{MARKER}/w:rd#1@h:5432/d",
    f"postgresql://u:{MARKER}@h:70000/d",
    f"postgresql://u:12/{MARKER}@h/d",
    f"postgresql://u:pa?{MARKER}@h/d",
    f"postgresql://[{MARKER}@h/d",
    f"postgresql://u:a b{MARKER}@h/d",
    f"{MARKER}://u@h/d",
    MARKER,
]


def exits(settings, stream):
    """Every text that settings can become."""
    yield repr(settings)
    yield str(settings)
    yield f"{settings}"
    yield pprint.pformat(settings)
    # A secret of the user's own in a plain str is hidden from repr and messages; vars, JSON and
    # pickle of it are pydantic's, so they are looked at without that one.
    typed = settings.model_copy(update={"plain_token": ""})
    yield str(vars(typed))
    yield pprint.pformat({name: vars(getattr(settings, name)) for name in ("database", "agent")})
    yield repr(settings.database)
    yield str(settings.database.postgres_url) + repr(settings.database.redis_url)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield repr(pickle.dumps(settings.database, protocol))
    yield repr(pickle.dumps(typed))
    yield typed.model_dump_json()
    yield repr(typed.model_dump())
    yield json.dumps(settings.database.model_dump(mode="json"))
    yield repr(copy.deepcopy(settings)) + repr(copy.copy(settings.database))
    yield str(settings.model_json_schema())
    database = settings.database
    logging.getLogger("leak").debug("%s %r %s", settings, database, vars(database))
    for result in (
        ConfigValidator(settings).validate_environment(),
        ConfigValidator(settings).validate_ai_providers(),
    ):
        yield str(result) + repr(result) + json.dumps(result.to_dict())
    yield stream.getvalue()


@pytest.fixture
def debug_log(monkeypatch):
    """Everything that anybody logs, pydantic-settings' own debug log of its sources included."""
    monkeypatch.setenv("PYDANTIC_SETTINGS_DEBUG", "true")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("pydantic_settings").setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def by_route(route, name, value, tmp_path):
    """The arguments of load_settings that bring a value in by one route."""
    sources: dict[str, Any] = {
        "env": {"ENVIRONMENT": "production"},
        "dotenv": None,
        "secrets_dir": None,
    }
    if route == "variable":
        sources["env"][name] = value
    elif route == "file":
        (tmp_path / "file").write_text(f"{value}\n")
        sources["env"][f"{name}_FILE"] = str(tmp_path / "file")
    elif route == "dotenv":
        (tmp_path / ".env").write_text(f"{name}='{value}'\n")
        sources["dotenv"] = tmp_path / ".env"
    elif route == "secrets":
        (tmp_path / name).write_text(value)
        sources["secrets_dir"] = tmp_path
    elif route == "encrypted":
        sources["env"][name] = encrypt_config_value(value, KEYRING, name=name)
        sources["env"]["CONFIG_KEYRING"] = TEXT
    return sources


ROUTES = ["variable", "file", "dotenv", "secrets", "encrypted"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", VALUES)
def test_a_good_secret_comes_out_nowhere(name, route, tmp_path, debug_log, capsys):
    sources = by_route(route, name, VALUES[name], tmp_path)
    settings = load_settings(App, **sources)
    for text in exits(settings, debug_log):
        assert MARKER not in text
        assert quote(MARKER, safe="") not in text
    # ... but is there.
    revealed: list[Secret] = [settings.database.postgres_url, settings.database.clickhouse_url]
    revealed += [settings.database.qdrant_url, settings.database.redis_url]
    revealed += [s for s in (settings.database.qdrant_api_key, settings.api_token) if s]
    revealed += settings.tokens
    assert any(MARKER in secret.reveal() for secret in revealed) or settings.plain_token == MARKER


@pytest.mark.parametrize("name", ["API_TOKEN", "POSTGRES_PASSWORD"])
def test_a_secret_among_the_arguments_comes_out_nowhere(name, debug_log):
    arguments = {"api_token": MARKER, "database": {"postgres_password": MARKER}}
    settings = load_settings(App, env={}, dotenv=None, **arguments)
    for text in exits(settings, debug_log):
        assert MARKER not in text
    assert settings.api_token == Secret(MARKER)


def errors_of(load):
    """Every text that the error of a load can become, tracebacks with locals included."""
    with pytest.raises(ConfigurationError) as caught:
        load()
    error = caught.value
    yield str(error)
    yield repr(error)
    yield repr(error.args) + repr(error.problems)
    yield error.json()
    yield repr(error.errors())
    yield repr(vars(error))
    yield repr(pickle.dumps(error))
    # The frame that called us belongs to the test and holds the marker; all others are ours.
    summary = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in summary.stack if "shared/config" in frame.filename]
    assert ours
    yield "".join(f"{frame.name} {frame.locals}\n" for frame in ours)
    assert error.__cause__ is None
    assert error.__context__ is None
    yield "".join(traceback.format_exception_only(error))


@pytest.mark.parametrize("route", ["variable", "file", "dotenv", "secrets"])
@pytest.mark.parametrize("value", MALFORMED)
def test_a_malformed_url_comes_out_nowhere(value, route, tmp_path, debug_log):
    for number, name in enumerate(("POSTGRES_URL", "CLICKHOUSE_URL", "QDRANT_URL", "REDIS_URL")):
        folder = tmp_path / str(number)
        folder.mkdir()
        sources = by_route(route, name, value, folder)
        for text in errors_of(lambda sources=sources: load_settings(App, **sources)):
            assert MARKER not in text
    assert MARKER not in debug_log.getvalue()


WRONG = {
    "wrong key": lambda value: {"API_TOKEN": value, "CONFIG_KEYRING": OTHER_KEYRING},
    "no key": lambda value: {"API_TOKEN": value},
    "other id": lambda value: {"API_TOKEN": value, "CONFIG_KEYRING": Keyring.generate("k2")},
    "malformed key": lambda value: {"API_TOKEN": value, "CONFIG_KEYRING": f"k1={MARKER}"},
    "tampered": lambda value: {"API_TOKEN": value[:-6] + "AAAAAA", "CONFIG_KEYRING": TEXT},
    "cut": lambda value: {"API_TOKEN": value[:20], "CONFIG_KEYRING": TEXT},
    "other variable": lambda value: {"POSTGRES_PASSWORD": value, "CONFIG_KEYRING": TEXT},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_an_encrypted_value_that_does_not_open_comes_out_nowhere(wrong, debug_log):
    value = encrypt_config_value(MARKER, KEYRING, name="API_TOKEN")
    body = value.rpartition(":")[2][:20]
    env = wrong(value)
    for text in errors_of(lambda: load_settings(App, env=env, dotenv=None)):
        assert MARKER not in text
        assert body not in text
    assert body not in debug_log.getvalue()


def test_secrets_beside_an_error_come_out_nowhere(debug_log):
    env = {**VALUES, "POSTGRES_PORT": "0", "REDIS_DB": MARKER[:3], "LOG_LEVEL": "LOUD"}
    del env["POSTGRES_URL"]
    for text in errors_of(lambda: load_settings(App, env=env, dotenv=None)):
        assert MARKER not in text
    for text in errors_of(
        lambda: load_settings(App, env={}, dotenv=None, api_token=MARKER, debug="perhaps")
    ):
        assert MARKER not in text
    for text in errors_of(lambda: App(api_token={"a": MARKER})):
        assert MARKER not in text
    assert MARKER not in debug_log.getvalue()


def test_a_validator_of_the_user_that_repeats_a_secret_is_scrubbed():
    from pydantic import model_validator

    class Strict(Settings):
        api_token: Secret

        @model_validator(mode="after")
        def _never(self):
            raise ValueError(f"cannot work with {self.api_token.reveal()}")

    for text in errors_of(lambda: load_settings(Strict, env={"API_TOKEN": MARKER}, dotenv=None)):
        assert MARKER not in text


def test_writing_to_settings_does_not_repeat_the_value():
    settings = load_settings(App, env={}, dotenv=None)
    with pytest.raises(AttributeError) as caught:
        settings.api_token = Secret(MARKER)
    assert MARKER not in str(caught.value)
    with pytest.raises(AttributeError) as caught:
        settings.database.postgres_url = MARKER  # type: ignore[assignment]
    assert MARKER not in str(caught.value)
    with pytest.raises(ConfigurationError) as refused:
        settings.database.model_copy(update={"postgres_url": MARKER})
    assert MARKER not in str(refused.value)


def test_the_command_line_shows_no_secret(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in VALUES.items():
        if not name.startswith(("TOKENS", "API", "PLAIN")):
            monkeypatch.setenv(name, value)
    for command in ("show", "check", "docs", "env-example"):
        main([command])
        captured = capsys.readouterr()
        assert MARKER not in captured.out + captured.err
    monkeypatch.setenv("POSTGRES_URL", MALFORMED[0])
    assert main(["check"]) == 2
    captured = capsys.readouterr()
    assert MARKER not in captured.out + captured.err
    assert "POSTGRES_URL" in captured.err


def test_warnings_show_no_secret(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name, value in VALUES.items():
            load_settings(App, env={name: value}, dotenv=None, secrets_dir=tmp_path)
    assert not [w for w in caught if MARKER in str(w.message)]


def test_a_secret_gives_itself_away_only_when_asked():
    secret = Secret(MARKER)
    assert secret.reveal() == MARKER
    with pytest.raises(TypeError):
        vars(secret)
    import inspect

    assert MARKER not in repr(inspect.getmembers(secret))
    assert MARKER not in f"{secret} {secret!r} {secret:>20}"
    assert secret == Secret(MARKER) == Secret(SecretStr(MARKER)) == Secret(secret)
    assert secret != MARKER
    assert len({secret, Secret(MARKER), Secret("x")}) == 2
    assert copy.deepcopy(secret) is secret
    with pytest.raises(AttributeError):
        secret.value = "x"
    with pytest.raises(TypeError, match="a secret must be text, not int"):
        Secret(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "secret",
    [Secret(MARKER), PostgresURL(f"postgresql://u:{MARKER}@h/d"), RedisURL(f"redis://:{MARKER}@h")],
)
def test_a_pickled_secret_arrives_without_its_text(secret):
    arrived = pickle.loads(pickle.dumps(secret))
    assert type(arrived) is type(secret)
    assert str(arrived) == str(secret)
    assert arrived
    assert arrived != secret
    with pytest.raises(ConfigurationError, match="came out of a pickle"):
        arrived.reveal()


RAISING = {
    "URL": lambda: PostgresURL(f"postgresql://u:pa#{MARKER}@h"),
    "key": lambda: Keyring({"a": MARKER.encode()}),
    "keys": lambda: Keyring.parse(f"k1={MARKER.replace('-', '')}A"),
    "host": lambda: load_settings(env={"POSTGRES_HOST": f"postgres://u:{MARKER} x@h"}),
    "pydantic's URL": lambda: load_settings(Urls, env={"DSN": f"postgresql://u:{MARKER}@h:x/d"}),
}


class Urls(Settings):
    dsn: PostgresDsn | None = None
    amqp: str = ""
    signing_key: Secret = Secret(MARKER)


@pytest.mark.parametrize("raising", RAISING.values(), ids=RAISING)
def test_no_frame_of_ours_holds_a_secret(raising):
    for text in errors_of(raising):
        assert MARKER not in text
        assert MARKER.replace("-", "") not in text


def test_urls_that_are_no_secret_type_are_hidden_where_it_can_be(capsys):
    env = {"DSN": f"postgresql://u:{MARKER}@h/d", "AMQP": f"amqp://u:{MARKER}@h"}
    settings = load_settings(Urls, env=env, dotenv=None)
    assert MARKER not in repr(settings) + str(settings) + shown_values(settings)
    assert MARKER not in json.dumps(Urls.model_json_schema())
    assert type(settings.amqp) is str


class Typed(Settings):
    text: SecretStr
    raw: SecretBytes
    many: list[SecretStr] = []  # noqa: RUF012 - pydantic copies it


def test_pydantics_own_secrets_do_not_travel_either():
    env = {"TEXT": MARKER, "RAW": MARKER, "MANY": f"{MARKER},b"}
    settings = load_settings(Typed, env=env, dotenv=None)
    assert settings.text.get_secret_value() == MARKER
    assert copy.deepcopy(settings).text.get_secret_value() == MARKER
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert MARKER.encode() not in pickle.dumps(settings, protocol)
    arrived = pickle.loads(pickle.dumps(settings))
    again = pickle.loads(pickle.dumps(arrived))
    for secret in (again.text, again.raw, *again.many):
        with pytest.raises(ConfigurationError, match="came out of a pickle"):
            secret.get_secret_value()
