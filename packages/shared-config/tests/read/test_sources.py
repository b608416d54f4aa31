"""Arguments > environment > .env > secrets directory > default, and what counts as set."""

import itertools
import os

import pytest

from shared.config import ConfigurationError, Secret, Settings, load_settings


class App(Settings):
    api_token: Secret | None = None
    workers: int = 1


# (place in the precedence, value): every subset of the sources is tried below.
SOURCES = ["arguments", "environment", "dotenv", "secrets"]


@pytest.mark.parametrize(
    "present",
    [s for n in range(5) for s in itertools.combinations(SOURCES, n)],
    ids=lambda s: "+".join(s) or "none",
)
def test_the_highest_source_that_has_a_value_wins(present, tmp_path):
    arguments, env = {}, {}
    values = {"arguments": 4, "environment": 3, "dotenv": 2, "secrets": 9, "none": 1}
    folder = tmp_path / "secrets"
    folder.mkdir()
    if "arguments" in present:
        arguments = {"workers": 4, "api_token": "token-4", "agent": {"port": 4}}
    if "environment" in present:
        env = {"WORKERS": "3", "API_TOKEN": "token-3", "AGENT_PORT": "3"}
    if "dotenv" in present:
        (tmp_path / ".env").write_text("WORKERS=2\nAPI_TOKEN=token-2\nAGENT_PORT=2\n")
    if "secrets" in present:
        for name, text in {"WORKERS": "9\n", "API_TOKEN": "token-9\n", "AGENT_PORT": "9\n"}.items():
            (folder / name).write_text(text)

    app = load_settings(App, env=env, dotenv=tmp_path / ".env", secrets_dir=folder, **arguments)

    expected = values[present[0]] if present else 1
    assert app.workers == expected
    assert app.agent.port == (expected if present else 8001)
    assert (app.api_token.reveal() if app.api_token else None) == (
        f"token-{expected}" if present else None
    )


FILE = "{file}"
CASES = {
    # what is set in which source -> the token, or the start of the error
    "direct": ({"API_TOKEN": "a"}, "", "a"),
    "file": ({"API_TOKEN_FILE": FILE}, "", "from-file"),
    "file in .env": ({}, f"API_TOKEN_FILE={FILE}", "from-file"),
    "environment's file beats .env": ({"API_TOKEN_FILE": FILE}, "API_TOKEN=b", "from-file"),
    "environment beats .env's file": ({"API_TOKEN": "a"}, f"API_TOKEN_FILE={FILE}", "a"),
    "both": ({"API_TOKEN": "a", "API_TOKEN_FILE": FILE}, "", ConfigurationError),
    "both in .env": ({}, f"API_TOKEN=a\nAPI_TOKEN_FILE={FILE}", ConfigurationError),
    "empty is unset": ({"API_TOKEN": ""}, "API_TOKEN=b", "b"),
    "empty beside a file": ({"API_TOKEN": "", "API_TOKEN_FILE": FILE}, "", "from-file"),
    "empty file name": ({"API_TOKEN": "a", "API_TOKEN_FILE": ""}, "", "a"),
    "all empty": ({"API_TOKEN": ""}, "API_TOKEN=\n", None),
    "lower case": ({"api_token": "a"}, "", "a"),
    "exact name first": ({"api_token": "a", "API_TOKEN": "A"}, "", "A"),
    "nothing is interpolated": ({}, "API_TOKEN=a${HOME}$$b", "a${HOME}$$b"),
    "quoted": ({}, "export API_TOKEN='a b#c'", "a b#c"),
}


@pytest.mark.parametrize(("env", "dotenv", "expected"), CASES.values(), ids=CASES)
def test_set_empty_file_and_both(env, dotenv, expected, tmp_path):
    secret = tmp_path / "token.txt"
    secret.write_text("from-file\n")
    env = {name: value.format(file=secret) for name, value in env.items()}
    (tmp_path / "dotenv").write_text(dotenv.replace(FILE, str(secret)))
    if expected is ConfigurationError:
        with pytest.raises(ConfigurationError, match="API_TOKEN: is set, and so is API_TOKEN_FILE"):
            load_settings(App, env=env, dotenv=tmp_path / "dotenv", secrets_dir=None)
        return
    app = load_settings(App, env=env, dotenv=tmp_path / "dotenv", secrets_dir=None)
    assert (app.api_token and app.api_token.reveal()) == expected


@pytest.mark.parametrize("content", ["v", "v\n", "v\r\n", "v\n\n", "\ufeffv\n"])
def test_trailing_newlines_and_a_byte_order_mark_are_not_part_of_a_secret(content, tmp_path):
    (tmp_path / "api_token").write_text(content, encoding="utf-8", newline="")
    app = load_settings(App, env={}, dotenv=None, secrets_dir=tmp_path)
    assert app.api_token == Secret("v")


def test_zero_is_a_value_and_empty_is_none():
    assert load_settings(env={"REDIS_DB": "0"}, dotenv=None).database.redis_db == 0
    assert load_settings(env={"REDIS_DB": ""}, dotenv=None).database.redis_db == 0
    assert load_settings(env={"DEBUG": "0"}, dotenv=None).debug is False


def test_a_required_variable_stays_required_when_it_is_empty():
    class Required(Settings):
        api_token: Secret

    with pytest.raises(ConfigurationError, match=r"^API_TOKEN: is required and not set"):
        load_settings(Required, env={"API_TOKEN": ""}, dotenv=None)


def test_kubernetes_links_are_followed_and_read_as_one_version(tmp_path):
    def version(name, token):
        (tmp_path / name).mkdir()
        (tmp_path / name / "API_TOKEN").write_text(token)
        (tmp_path / name / "WORKERS").write_text("5")

    version("..2026_01", "old")
    version("..2026_02", "new")
    (tmp_path / "..data").symlink_to("..2026_01")
    for name in ("API_TOKEN", "WORKERS"):
        (tmp_path / name).symlink_to(f"..data/{name}")

    app = load_settings(App, env={}, dotenv=None, secrets_dir=tmp_path)
    assert (app.api_token, app.workers) == (Secret("old"), 5)

    (tmp_path / "..data_tmp").symlink_to("..2026_02")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")
    assert load_settings(App, env={}, dotenv=None, secrets_dir=tmp_path).api_token == Secret("new")


def unreadable(kind, tmp_path):
    path = tmp_path / "marker-free"
    if kind == "missing":
        return path
    if kind == "folder":
        path.mkdir()
    elif kind == "not UTF-8":
        path.write_bytes(b"\xff\xfemarker")
    elif kind == "huge":
        path.write_bytes(b"x" * (1 << 21))
    else:
        path.symlink_to(path)
    return path


@pytest.mark.parametrize("kind", ["missing", "folder", "not UTF-8", "huge", "loop"])
def test_an_unreadable_file_names_path_and_variable(kind, tmp_path):
    path = unreadable(kind, tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(App, env={"API_TOKEN_FILE": str(path)}, dotenv=None)
    assert str(path) in str(caught.value)
    assert "API_TOKEN_FILE" in str(caught.value)
    assert "marker\n" not in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_forbidden_file_names_path_and_variable(tmp_path):
    path = tmp_path / "API_TOKEN"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(ConfigurationError, match=f"API_TOKEN: {path} cannot be read"):
        load_settings(App, env={}, dotenv=None, secrets_dir=tmp_path)


def test_every_error_at_once_in_the_order_of_the_variables(tmp_path):
    (tmp_path / ".env").write_text("LOG_LEVEL=LOUD\nthis is no line\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(
            App,
            env={"POSTGRES_PORT": "70000", "WORKERS": "many", "ENVIRONMENT": "prodution"},
            dotenv=tmp_path / ".env",
            agent={"max_concurrent_tasks": 0},
        )
    assert [str(p) for p in caught.value.problems] == [
        f"{tmp_path}/.env, line 2: is not NAME=value",
        "ENVIRONMENT: 'prodution' is not one of development, test, staging, production",
        "POSTGRES_PORT: 70000 is not in 1..65535",
        (
            "LOG_LEVEL: 'LOUD' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL"
            f" (from {tmp_path}/.env)"
        ),
        "MAX_CONCURRENT_TASKS: 0 is not >= 1",
        "WORKERS: 'many' is not a whole number",
    ]
    assert [e["variable"] for e in caught.value.errors()][2] == "POSTGRES_PORT"
