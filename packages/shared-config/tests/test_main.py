"""The command line: exit codes, tables, examples that load, other people's classes."""

import os
import re
import subprocess
import sys

import pytest

from shared.config import Settings, load_settings
from shared.config.__main__ import main

APP = """
from typing import Annotated
from pydantic import BaseModel, Field
from shared.config import Secret, Settings

class Kafka(BaseModel):
    host: str = Field(default="k|1", description="Broker | one")
    password: Secret | None = None

class App(Settings):
    api_token: Secret = Field(description="What opens\\nthe door")
    workers: Annotated[int, Field(ge=1, le=64, description="Processes")] = 4
    hosts: list[str] = ["a", "b"]
    greeting: str = "it's # a 'test'"
    signing_key: Secret = Secret("mArKeR")
    kafka: Kafka = Kafka()
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """An empty folder, and an environment without our variables."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("POSTGRES", "REDIS", "QDRANT", "CLICKHOUSE", "LOG_", "AGENT")):
            monkeypatch.delenv(name)
    return tmp_path


def run(folder, *arguments, **env):
    return subprocess.run(
        [sys.executable, "-m", "shared.config", *arguments],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_process_checks_and_exits(folder):
    done = run(folder, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The configuration is valid.")
    done = run(folder, "check", POSTGRES_PORT="70000", LOG_LEVEL="LOUD")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "2 problems in the configuration:",
        "  POSTGRES_PORT: 70000 is not in 1..65535",
        "  LOG_LEVEL: 'LOUD' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
    ]


def test_a_process_with_a_class_of_the_user(folder):
    (folder / "my_app.py").write_text(APP)
    done = run(folder, "check", "my_app:App")
    assert done.returncode == 2
    assert done.stderr == "API_TOKEN: is required and not set (or API_TOKEN_FILE)\n"
    done = run(folder, "show", "my_app:App", API_TOKEN="mArKeR", WORKERS="8")
    assert done.returncode == 0
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows["API_TOKEN"] == ["[REDACTED]", "environment"]
    assert rows["WORKERS"] == ["8", "environment"]
    assert rows["POSTGRES_PORT"] == ["5432", "default"]
    assert "mArKeR" not in done.stdout


def test_findings_of_production_exit_with_2(monkeypatch, capsys):
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("DEBUG", "1")
    assert main(["check"]) == 2
    assert "DEBUG: is on in production" in capsys.readouterr().out


def test_check_asks_the_services(monkeypatch, capsys, closed_port):
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{closed_port}")
    assert main(["check", "--services", "--timeout", "5"]) == 2
    assert f"redis: down at 127.0.0.1:{closed_port}" in capsys.readouterr().out


def test_show_says_where_a_value_comes_from(folder, capsys):
    (folder / ".env").write_text("AGENT_PORT=1\n")
    (folder / "s").mkdir()
    (folder / "s" / "POSTGRES_PASSWORD").write_text("mArKeR")
    assert main(["show", "--secrets-dir", "s"]) == 0
    out = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert rows["AGENT_PORT"] == ["1", ".env"]
    assert rows["POSTGRES_PASSWORD"] == ["[REDACTED]", "s"]
    assert "mArKeR" not in out


def test_docs_does_not_depend_on_the_environment(monkeypatch, capsys):
    main(["docs"])
    plain = capsys.readouterr().out
    monkeypatch.setenv("POSTGRES_HOST", "elsewhere")
    monkeypatch.setenv("POSTGRES_PORT", "nonsense")
    assert main(["docs"]) == 0
    assert capsys.readouterr().out == plain
    assert plain.count("\n") == 2 + 38
    assert "| `POSTGRES_PORT` | whole number in 1..65535 | `5432` | PostgreSQL port |" in plain


def test_docs_of_a_class_of_the_user(folder, capsys):
    (folder / "docs_app.py").write_text(APP)
    assert main(["docs", "docs_app:App"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "| `API_TOKEN` or `API_TOKEN_FILE` | secret | required | What opens the door |" in lines
    assert "| `WORKERS` | whole number in 1..64 | `4` | Processes |" in lines
    assert '| `HOSTS` | list with commas, or JSON | `["a", "b"]` |  |' in lines
    assert "| `SIGNING_KEY` or `SIGNING_KEY_FILE` | secret | `[REDACTED]` |  |" in lines
    assert "| `KAFKA_HOST` | text | `k\\|1` | Broker \\| one |" in lines
    assert all(line.replace("\\|", "").count("|") == 5 for line in lines)


def opened(example):
    """Every assignment of an example, taken out of its comment."""
    lines = [line.removeprefix("# ") for line in example.splitlines()]
    return [line for line in lines if re.match(r"[A-Z_]+=", line) and "_FILE=" not in line]


def test_the_example_loads_and_is_the_default(folder, capsys):
    assert main(["env-example"]) == 0
    example = capsys.readouterr().out
    assert all(line.startswith("#") or not line for line in example.splitlines())
    (folder / "opened.env").write_text("\n".join(opened(example)))
    loaded = load_settings(env={}, dotenv=folder / "opened.env", secrets_dir=None)
    assert loaded == load_settings(env={}, dotenv=None, secrets_dir=None)


def test_the_example_of_a_class_of_the_user(folder, capsys):
    (folder / "example_app.py").write_text(APP)
    assert main(["env-example", "example_app:App"]) == 0
    example = capsys.readouterr().out
    assert "# What opens the door (secret)\nAPI_TOKEN=\n# API_TOKEN_FILE=" in example
    assert "mArKeR" not in example
    keep = [line for line in opened(example) if "[REDACTED]" not in line]
    (folder / "e.env").write_text("\n".join(keep).replace("API_TOKEN=", "API_TOKEN=t"))
    import example_app  # type: ignore[import-not-found]

    cls: type[Settings] = example_app.App
    loaded = load_settings(cls, env={}, dotenv=folder / "e.env", secrets_dir=None)
    assert loaded == load_settings(cls, env={"API_TOKEN": "t"}, dotenv=None, secrets_dir=None)


TARGETS = {
    "no_such_module:App": "no_such_module cannot be imported: ModuleNotFoundError",
    "json": "'json' is not of the form module:Class",
    "json:": "'json:' is not of the form module:Class",
    "json:Nothing": "json:Nothing is not a class derived from shared.config.Settings",
    "json:JSONDecoder": "json:JSONDecoder is not a class derived from shared.config.Settings",
}


@pytest.mark.parametrize("command", ["check", "show", "docs", "env-example"])
@pytest.mark.parametrize(("target", "message"), TARGETS.items())
def test_a_wrong_target_exits_with_2(command, target, message, capsys):
    assert main([command, target]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)


@pytest.mark.parametrize(
    "arguments", [[], ["no-such-command"], ["check", "--timeout", "0"], ["check", "--timeout", "x"]]
)
def test_a_wrong_command_line_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_a_module_that_fails_is_named(folder, capsys):
    (folder / "broken_app.py").write_text("1 / 0")
    assert main(["check", "broken_app:App"]) == 2
    assert "broken_app cannot be imported: ZeroDivisionError" in capsys.readouterr().err
