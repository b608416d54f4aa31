"""Configuration: environment, outputs, setup_logger."""

import gc
import json
import logging
import re
import threading
from pathlib import Path

import pytest

from shared.observability import (
    QueuePolicy,
    configure_logging,
    get_logger,
    initialize_logging,
    log_with_context,
    setup_logger,
    stats,
)
from shared.observability._configure import reset


def test_setup_logger_does_not_double(new_lines):
    stream = new_lines()
    configure_logging(output=stream)
    own = new_lines()
    loggers = [setup_logger("plain", "INFO", "json", own) for _ in range(3)]
    loggers[-1].info("once", extra={"n": 1})
    assert [line["n"] for line in own.records()] == [1]
    assert stream.getvalue() == ""


def test_log_with_context_takes_both_kinds(lines):
    log_with_context(get_logger("ours"), "INFO", "100 %", name="x", n=1)
    log_with_context(logging.getLogger("std"), logging.INFO, "100 %", name="x", n=1)
    for line in lines.records():
        assert (line["message"], line["name"], line["n"]) == ("100 %", "x", 1)
        assert line["function"] == "test_log_with_context_takes_both_kinds"


def test_initialize_logging_reads_the_environment(monkeypatch, tmp_path):
    path = tmp_path / "app.log"
    monkeypatch.setenv("LOG_LEVEL", "warning")
    monkeypatch.setenv("LOG_OUTPUT", str(path))
    initialize_logging()
    get_logger("x").info("no")
    get_logger("x").warning("yes", n=1)
    assert json.loads(path.read_text())["n"] == 1
    initialize_logging()  # a second call changes nothing
    monkeypatch.setenv("LOG_FORMAT", "Text")
    reset()
    initialize_logging()
    get_logger("x").warning("yes", n=1)
    assert re.fullmatch(r"\S+Z WARNING  x yes module=.* n=1", path.read_text().splitlines()[1])


def test_initialize_logging_without_variables_is_json_on_stdout(monkeypatch, capsys):
    for name in ("LEVEL", "FORMAT", "OUTPUT"):
        monkeypatch.delenv(f"LOG_{name}", raising=False)
    get_logger("x").info("before")  # does not count as a configuration
    initialize_logging()
    get_logger("x").info("after")
    shown = capsys.readouterr()
    assert json.loads(shown.out)["message"] == "after"
    assert "before" in shown.err


def test_initialize_logging_names_the_variable(monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(ValueError, match="LOG_LEVEL"):
        initialize_logging()


def test_unconfigured_logging_goes_to_stderr(capsys):
    get_logger("x").info("hello")
    assert "INFO     x hello" in capsys.readouterr().err


def test_unconfigured_logging_with_a_wrong_variable_warns_once(monkeypatch, capsys):
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.warns(UserWarning, match="LOG_FORMAT must be one of 'json', 'text'") as seen:
        get_logger("x").info("hello")
    get_logger("x").info("again")
    assert [warning.filename for warning in seen] == [__file__]
    assert capsys.readouterr().err.count("INFO     x") == 2


def test_reconfiguring_leaks_nothing(tmp_path, until):
    def count():
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def cycle(n):
        configure_logging(
            output=tmp_path / f"{n % 3}.log", queue=QueuePolicy(10) if n % 2 else None
        )
        get_logger("x").info("m", n=n)
        setup_logger("plain", output=tmp_path / "plain.log").info("m")

    for n in range(4):
        cycle(n)
    before = count()
    for n in range(50):
        cycle(n)
    after = count()
    assert after[0] <= before[0] + 1
    until("the writer threads to end", lambda: count()[1] <= before[1])
    assert stats().written == 108 - stats().queued
    assert stats().dropped == 0


def test_bad_outputs_are_named(tmp_path):
    with pytest.raises(TypeError, match="output"):
        configure_logging(output=5)
    with pytest.raises(ValueError, match="rotate"):
        configure_logging(output="stdout", rotate="1 MB")
    with pytest.raises(OSError, match=str(tmp_path)):
        configure_logging(output=tmp_path)
    with pytest.raises(ValueError, match="format must be one of 'json', 'text', not 'xml'"):
        configure_logging(format="xml")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="schema must be one of None, 'otel', 'ecs'"):
        configure_logging(schema="gelf")  # type: ignore[arg-type]
