"""The schema of a line, its fields, and loggers as values."""

import copy
import pickle
import re

import pytest

from shared.observability import (
    configure_logging,
    get_logger,
    set_log_level,
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
    assert line["module"] == "test_logger"
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


def test_loggers_pickle_and_copy(lines):
    log = get_logger("x").bind(a=1)
    for other in (pickle.loads(pickle.dumps(log)), copy.deepcopy(log)):
        other.info("m")
        assert (lines.last()["logger"], lines.last()["a"]) == ("x", 1)


def test_bound_fields_come_and_go(lines):
    log = get_logger("x").bind(a=1, b=2)
    log.unbind("a").info("without a")
    log.try_unbind("a", "unknown").info("without a")
    log.new(c=3).info("only c")
    log.info("both")
    found = [{k: line[k] for k in "abc" if k in line} for line in lines.records()]
    assert found == [{"b": 2}, {"b": 2}, {"c": 3}, {"a": 1, "b": 2}]
    with pytest.raises(KeyError, match="unknown"):
        log.unbind("unknown")


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_every_level_has_a_method(lines, level):
    log = get_logger("x")
    getattr(log, level)("m")
    log.log(level, "m")
    assert [line["level"] for line in lines.records()] == [level, level]
    set_log_level("CRITICAL")
    assert log.is_enabled_for(level) == (level == "critical")
    getattr(log, level)("m")
    log.log(level, "m")
    log.exception("m")  # noqa: LOG004
    assert len(lines.records()) == (4 if level == "critical" else 2)


def test_a_logger_shows_its_name_and_level(lines):
    assert repr(get_logger("shop.x")) == "<Logger 'shop.x' debug>"
    assert get_logger("shop.x").name == "shop.x"
    with pytest.raises(TypeError, match="name must be a string, not 5"):
        get_logger(5)  # type: ignore[arg-type]
