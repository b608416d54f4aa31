"""The schema of a line, its fields, and loggers as values."""

import copy
import pickle
import re

from shared.observability import (
    configure_logging,
    get_logger,
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
