"""The schema of a line, levels, and the two faces of the pipeline."""

import copy
import logging
import pickle
import re

import pytest
import structlog

from shared.observability import (
    bind,
    configure_logging,
    correlation,
    get_logger,
    initialize_logging,
    log_context,
    log_with_context,
    set_log_level,
    setup_logger,
    unbind,
)


def test_a_line_has_the_fields_of_the_schema(lines):
    configure_logging(output=lines, service="shop")
    get_logger("orders").info("placed", order_id=7)
    line = lines.last()
    assert list(line)[:7] == [
        "timestamp",
        "level",
        "logger",
        "message",
        "module",
        "function",
        "line",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])
    assert line["level"] == "info"
    assert line["logger"] == "orders"
    assert line["message"] == "placed"
    assert line["module"] == "test_observability_logging"
    assert line["function"] == "test_a_line_has_the_fields_of_the_schema"
    assert isinstance(line["line"], int)
    assert line["service"] == "shop"
    assert line["order_id"] == 7


def test_reserved_names_step_aside(lines):
    get_logger("x").info("m", level="L", message="M", timestamp=1, exception="E", extra_level=2)
    line = lines.last()
    assert (line["level"], line["message"]) == ("info", "m")
    assert line["extra_message"] == "M"
    assert line["extra_timestamp"] == 1
    assert line["extra_exception"] == "E"
    assert {line["extra_level"], line["extra_extra_level"]} == {"L", 2}


def test_levels_are_live_and_inherited(lines):
    configure_logging("WARNING", output=lines)
    parent, child = get_logger("a"), get_logger("a.b").bind(x=1)
    child.info("no")
    set_log_level("debug", "a")
    child.debug("yes")
    parent.debug("yes")
    get_logger("ab").info("no")
    logging.getLogger("a.b").debug("std yes")
    set_log_level("ERROR", "a.b")
    child.warning("no")
    assert [line["message"] for line in lines.records()] == ["yes", "yes", "std yes"]


@pytest.mark.parametrize("level", ["LOUD", "", 3.5, True, None, -1])
def test_an_unknown_level_names_the_valid_ones(level):
    for call in (configure_logging, set_log_level):
        with pytest.raises(ValueError, match="DEBUG, INFO, WARNING, ERROR, CRITICAL"):
            call(level)


def test_stdlib_records_take_the_same_way(lines):
    logging.getLogger("lib").warning("%s of %d", "one", 2, extra={"user": "ada", "password": "x"})
    line = lines.last()
    assert line["message"] == "one of 2"
    assert (line["logger"], line["level"]) == ("lib", "warning")
    assert line["function"] == "test_stdlib_records_take_the_same_way"
    assert (line["user"], line["password"]) == ("ada", "[REDACTED]")


def test_structlog_loggers_end_here_too(lines):
    structlog.get_logger("lib").bind(a=1).warning("odd", b=2)
    line = lines.last()
    assert (line["logger"], line["message"], line["a"], line["b"]) == ("lib", "odd", 1, 2)


def test_context_and_bound_fields(lines):
    log = get_logger("x").bind(a=1)
    bind(b=2)
    with log_context(c=3), correlation("id-1"):
        log.info("m", d=4)
    log.info("m")
    unbind("b")
    log.info("m")
    first, second, third = lines.records()
    assert {k: first[k] for k in "abcd"} == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert first["correlation_id"] == "id-1"
    assert "c" not in second
    assert "correlation_id" not in second
    assert "b" not in third


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
    assert re.fullmatch(r"\S+Z WARNING  x yes module=.* n=1\n", path.read_text())


def test_initialize_logging_names_the_variable(monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(ValueError, match="LOG_LEVEL"):
        initialize_logging()


def test_unconfigured_logging_goes_to_stderr(capsys):
    get_logger("x").info("hello")
    assert "INFO     x hello" in capsys.readouterr().err


def test_loggers_pickle_and_copy(lines):
    log = get_logger("x").bind(a=1)
    for other in (pickle.loads(pickle.dumps(log)), copy.deepcopy(log)):
        other.info("m")
        assert (lines.last()["logger"], lines.last()["a"]) == ("x", 1)


@pytest.mark.parametrize("schema", ["otel", "ecs"])
def test_schemas(new_lines, schema):
    stream = new_lines()
    configure_logging(output=stream, schema=schema, service="shop")
    try:
        raise OSError("disk")
    except OSError:
        get_logger("x").exception("failed", order_id=7)
    line = stream.last()
    if schema == "ecs":
        assert (line["log.level"], line["message"], line["service.name"]) == (
            "error",
            "failed",
            "shop",
        )
        assert (line["error.type"], line["error.message"], line["order_id"]) == (
            "OSError",
            "disk",
            7,
        )
        assert line["@timestamp"].endswith("Z")
        assert "ecs.version" in line
    else:
        assert (line["SeverityText"], line["SeverityNumber"], line["Body"]) == (
            "ERROR",
            17,
            "failed",
        )
        assert line["Resource"] == {"service.name": "shop"}
        assert line["InstrumentationScope"] == {"Name": "x"}
        assert line["Attributes"]["exception.type"] == "OSError"
        assert line["Attributes"]["order_id"] == 7


def test_console_handlers_of_the_root_make_room_and_others_stay(new_lines):
    root, kept = logging.getLogger(), logging.NullHandler()
    console = logging.StreamHandler()
    root.addHandler(console)
    root.addHandler(kept)
    stream = new_lines()
    configure_logging(output=stream, intercept_stdlib=False)
    assert console in root.handlers
    logging.getLogger("x").warning("not ours")
    assert stream.getvalue() == ""
    for _ in range(2):
        configure_logging(output=stream)
    assert console not in root.handlers
    assert kept in root.handlers
    logging.getLogger("x").warning("ours")
    assert len(stream.records()) == 1
