"""Any password in any URL, as the real drivers read it; any port; what a URL may look like."""

import re

import clickhouse_connect.driver as clickhouse
import psycopg.conninfo
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from redis.connection import parse_url

from shared.config import (
    ClickHouseURL,
    ConfigurationError,
    PostgresURL,
    RedisURL,
    Secret,
    load_settings,
)

# A text with this prefix and a key id is an encrypted value, not a password.
TEXT = st.text(min_size=1).filter(lambda text: not re.match("enc:v1:.+:", text))
HOSTILE = "pa@ss/w:rd#1?x=%41&[ü]\\ '\"+\u2028"


def loaded(**env):
    return load_settings(env=env, dotenv=None, secrets_dir=None).database


@settings(deadline=None)
@given(TEXT.filter(lambda text: "\0" not in text))  # libpq refuses NUL in any URL
@example(HOSTILE)
def test_any_text_as_password_reaches_libpq(password):
    url = loaded(POSTGRES_PASSWORD=password, POSTGRES_USER=password, POSTGRES_DB=password)
    info = psycopg.conninfo.conninfo_to_dict(url.postgres_url.reveal())
    assert info == {
        "user": password,
        "password": password,
        "host": "localhost",
        "port": "5432",
        "dbname": password,
    }


@settings(deadline=None)
@given(TEXT)
@example(HOSTILE)
def test_any_text_as_password_reaches_redis(password):
    url = loaded(REDIS_PASSWORD=password, REDIS_DB="3").redis_url
    assert parse_url(url.reveal()) == {
        "password": password,
        "host": "localhost",
        "port": 6379,
        "db": 3,
    }


@settings(deadline=None)
@given(TEXT)
@example(HOSTILE)
def test_any_text_as_password_reaches_clickhouse(password):
    dsn = loaded(CLICKHOUSE_PASSWORD=password, CLICKHOUSE_USER="u").clickhouse_url.reveal()
    host, user, found, port, database, _ = clickhouse._parse_connection_params(
        host=None, username=None, password="", port=0, database=None,
        interface=None, secure=False, dsn=dsn, kwargs={},
    )  # fmt: skip
    assert (host, user, found, port, database) == ("localhost", "u", password, 8123, "optiinfra")


@settings(deadline=None)
@given(TEXT)
@example(HOSTILE)
def test_any_api_key_stays_out_of_the_url_of_qdrant(key):
    database = loaded(QDRANT_API_KEY=key)
    assert database.qdrant_url.reveal() == "http://localhost:6333"
    assert database.qdrant_api_key.reveal() == key


@settings(deadline=None)
@given(TEXT)
@example(HOSTILE)
def test_a_url_of_parts_read_back_has_the_same_parts(password):
    for url in (
        PostgresURL.build(host="h", port=1, user=password, password=Secret(password), database="d"),
        ClickHouseURL.build(host="h", port=1, user="u", password=Secret(password), database="d"),
        RedisURL.build(host="::1", port=1, password=Secret(password), database="0"),
    ):
        again = type(url)(url.reveal())
        assert again == url
        assert again.password == Secret(password)
        assert (again.host, again.port) == (url.host, 1)
        assert again.user in {None, "u", password}


@settings(deadline=None)
@given(st.integers())
@example(0)
@example(1)
@example(65535)
@example(65536)
@example(10**200)
def test_any_integer_as_port(port):
    variables = ["POSTGRES", "CLICKHOUSE", "QDRANT", "REDIS", "ORCHESTRATOR", "MOCK_CLOUD", "AGENT"]
    env = {f"{name}_PORT": str(port) for name in variables}
    if 1 <= port <= 65535:
        settings = load_settings(env=env, dotenv=None, secrets_dir=None)
        assert settings.database.postgres_port == settings.agent.port == port
        assert settings.database.redis_url.port == port
        return
    with pytest.raises(ConfigurationError) as caught:
        load_settings(env=env, dotenv=None, secrets_dir=None)
    lines = [str(problem) for problem in caught.value.problems]
    shown = str(port) if len(str(port)) <= 80 else f"{str(port)[:77]}..."
    assert lines == [f"{name}_PORT: {shown} is not in 1..65535" for name in variables]


@settings(deadline=None)
@given(st.text())
def test_any_text_as_url_is_taken_or_refused_by_name(text):
    env = {f"{store}_URL": text for store in ("POSTGRES", "CLICKHOUSE", "QDRANT", "REDIS")}
    named: set[str] = set()
    try:
        load_settings(env=env, dotenv=None, secrets_dir=None)
    except ConfigurationError as error:
        named = {problem.variable for problem in error.problems}
    assert named <= set(env)


def test_a_password_that_is_no_utf8_survives():
    raw = b"p\xff\xe9".decode("utf-8", "surrogateescape")  # as os.environ has it
    url = loaded(POSTGRES_PASSWORD=raw).postgres_url
    assert ":p%FF%E9@" in url.reveal()
    assert url.password.reveal() == raw


GOOD = [
    # (variable, URL) -> what comes out of it
    ("POSTGRES_URL", "postgresql://u:p%40@h:1/d?sslmode=require", "h", 1, "u", "p@", "d", True),
    ("POSTGRES_URL", "postgresql://h/d", "h", None, None, None, "d", False),
    ("POSTGRES_URL", "postgresql://u:p@h1:1,h2:2/d", "h1,h2", 1, "u", "p", "d", False),
    ("POSTGRES_URL", "postgresql://u:p@[2001:db8::1]:1/d", "2001:db8::1", 1, "u", "p", "d", False),
    ("POSTGRES_URL", "postgresql:///d?host=/run/pg&user=u", "/run/pg", None, "u", None, "d", False),
    ("POSTGRES_URL", "postgresql://u:a:b@h/d", "h", None, "u", "a:b", "d", False),
    ("POSTGRES_URL", "postgresql://h/d?password=p", "h", None, None, "p", "d", False),
    ("CLICKHOUSE_URL", "clickhouse://u:p@h:1/d", "h", 1, "u", "p", "d", False),
    ("CLICKHOUSE_URL", "https://u:p@h:8443/d", "h", 8443, "u", "p", "d", True),
    ("CLICKHOUSE_URL", "clickhouse://h/d?secure=true", "h", None, None, None, "d", True),
    ("CLICKHOUSE_URL", "chdb://memory", None, None, None, None, None, True),
    ("CLICKHOUSE_URL", "chdb:///var/lib/db", None, None, None, None, None, True),
    ("CLICKHOUSE_URL", "chdb://memory/d", None, None, None, None, "d", True),
    ("QDRANT_URL", "http://h:1", "h", 1, None, None, None, False),
    ("QDRANT_URL", "https://h", "h", None, None, None, None, True),
    ("QDRANT_URL", ":memory:", None, None, None, None, None, True),
    ("QDRANT_URL", "path:/var/lib/q", None, None, None, None, None, True),
    ("REDIS_URL", "redis://:p@h:1/2", "h", 1, None, "p", "2", False),
    ("REDIS_URL", "rediss://u:p@h/2", "h", None, "u", "p", "2", True),
    ("REDIS_URL", "redis://h?db=4", "h", None, None, None, "4", False),
    ("REDIS_URL", "unix:///run/redis.sock?db=1", "/run/redis.sock", None, None, None, "1", False),
]


@pytest.mark.parametrize(
    ("name", "text", "host", "port", "user", "password", "database", "encrypted"), GOOD
)
def test_a_url_is_passed_on_as_it_came_and_tells_its_parts(
    name, text, host, port, user, password, database, encrypted
):
    url = getattr(loaded(**{name: text}), name.lower())
    assert url.reveal() == text
    assert (url.host, url.port, url.user, url.database) == (host, port, user, database)
    assert (url.password and url.password.reveal()) == password
    assert url.encrypted is encrypted
    assert url.embedded is (":memory:" in text or "path:" in text or "chdb:" in text)


SCHEMES = {
    "postgres://h/d": PostgresURL("postgresql://h/d"),
    "postgresql+psycopg://h/d": PostgresURL("postgresql://h/d"),
    "valkeys://h": RedisURL("rediss://h"),
    "valkey://h/1": RedisURL("redis://h/1"),
}


@pytest.mark.parametrize(("text", "url"), SCHEMES.items())
def test_other_names_of_a_scheme_become_what_the_drivers_know(text, url):
    assert type(url)(text) == url


def test_the_parts_follow_the_url():
    database = loaded(POSTGRES_URL="postgresql://u:p%40@db:1/d", REDIS_URL="redis://:p@r/5")
    assert database.postgres_host == "db"
    assert database.postgres_port == 1
    assert database.postgres_user == "u"
    assert database.postgres_password == Secret("p@")
    assert database.postgres_db == "d"
    assert database.redis_db == 5
    assert database.redis_port == 6379
    assert database.redis_password == Secret("p")


def test_what_the_url_leaves_out_comes_from_the_variables_that_are_set():
    database = loaded(
        POSTGRES_URL="postgresql://app@db/d?sslmode=require",
        POSTGRES_PASSWORD="p@/#",
        REDIS_URL="redis://r",
        REDIS_PASSWORD="q",
        REDIS_DB="0",
    )
    assert database.postgres_url.reveal() == "postgresql://app:p%40%2F%23@db/d?sslmode=require"
    assert database.postgres_password == Secret("p@/#")
    assert database.redis_url.reveal() == "redis://:q@r/0"


BAD = {
    "POSTGRES_URL": [
        "mysql://h", "h:5432", "postgresql://h:x/d", "postgresql://h:0/d", "postgresql://h:65536/d",
        "postgresql://u:p@ss@h/d", "postgresql://u:p#1@h/d", "postgresql://u:p/1@h/d",
        "postgresql://u:p 1@h/d", "postgresql://u:p?1@h/d", "postgresql://[::1/d", "://", "redis://h",
    ],
    "CLICKHOUSE_URL": ["postgresql://h", "chdb", "clickhouse://h:70000"],
    "QDRANT_URL": ["memory", "path:", "redis://h", "http://h:x"],
    "REDIS_URL": ["http://h", "redis://h/x", "redis://h?db=x", "redis://h:99999"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, ts in BAD.items() for t in ts])
def test_a_malformed_url_is_refused_with_what_is_allowed(name, text):
    with pytest.raises(ConfigurationError) as caught:
        loaded(**{name: text})
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "; allowed: " in message
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("host", ["db", "db.example.com", "10.0.0.1", "::1", "a_b", "höst"])
def test_hosts(host):
    url = loaded(POSTGRES_HOST=host, POSTGRES_PASSWORD="p").postgres_url
    assert url.host == host
    assert psycopg.conninfo.conninfo_to_dict(url.reveal())["host"] == host


def test_a_socket_folder_as_host():
    url = loaded(POSTGRES_HOST="/run/postgresql").postgres_url
    assert psycopg.conninfo.conninfo_to_dict(url.reveal())["host"] == "/run/postgresql"
    assert url.local


@pytest.mark.parametrize("host", ["a b", "a/b", "u@h", "h:1", "https://h", "a?b", "a#b", "[::1]"])
def test_what_is_no_host_is_refused(host):
    with pytest.raises(ConfigurationError, match=r"POSTGRES_HOST: .* is not a host name"):
        loaded(POSTGRES_HOST=host)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.9", True),
        ("::1", True),
        ("db.localhost", True),
        ("db", False),
    ],
)
def test_local_is_this_machine(host, local):
    assert loaded(REDIS_HOST=host).redis_url.local is local


def test_a_copy_with_another_part_has_another_url():
    database = loaded(POSTGRES_URL="postgresql://u:p@h:1/d?sslmode=require", REDIS_HOST="r")
    moved = database.model_copy(update={"postgres_host": "new", "redis_port": 7000})
    assert moved.postgres_url.reveal() == "postgresql://u:p@new:1/d?sslmode=require"
    assert moved.postgres_host == "new"
    assert moved.redis_url.reveal() == "redis://r:7000/0"
    assert database.postgres_host == "h"
    with pytest.raises(ConfigurationError, match=r"POSTGRES_PORT: 0 is not in 1\.\.65535"):
        database.model_copy(update={"postgres_port": 0})


@pytest.mark.parametrize(
    "option", ["password", "sslpassword", "passfile", "sslkey", "access_token", "pwd", "jwt"]
)
def test_a_secret_option_is_hidden(option):
    url = PostgresURL(f"postgresql://h/d?{option}=hunter2&sslmode=require")
    assert "hunter2" not in f"{url}{url.options}"
    assert str(url) == f"postgresql://h/d?{option}=[REDACTED]&sslmode=require"
    assert "hunter2" in url.reveal()


@pytest.mark.parametrize(
    "url", ["postgres://u:p@h:1/d", "postgresql://u:p@h:1/d", "postgresql+asyncpg://u:p@h:1/d"]
)
def test_database_url_is_postgres_url(url):
    database = loaded(DATABASE_URL=url)
    assert database.postgres_url.reveal() == "postgresql://u:p@h:1/d"
    assert (database.postgres_host, database.postgres_db) == ("h", "d")
    assert loaded(DATABASE_URL=url, POSTGRES_URL="postgres://mine/d").postgres_host == "mine"


@pytest.mark.parametrize("url", ["mysql://u:p@h/d", "sqlite:///file.db", "mongodb+srv://h/d"])
def test_a_database_url_of_another_kind_is_not_ours(url):
    assert loaded(DATABASE_URL=url).postgres_url.reveal() == loaded().postgres_url.reveal()


def test_a_malformed_database_url_is_named():
    with pytest.raises(ConfigurationError, match=r"POSTGRES_URL: has a port .*DATABASE_URL in env"):
        loaded(DATABASE_URL="postgres://h:x/d")


def test_database_url_from_a_file(tmp_path):
    (tmp_path / "url").write_text("postgres://u:p@h/d\n")
    assert loaded(DATABASE_URL_FILE=str(tmp_path / "url")).postgres_host == "h"
