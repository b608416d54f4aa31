"""Standard logging and structlog end in the same pipeline."""

import logging

import structlog

from shared.observability import (
    configure_logging,
)


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
