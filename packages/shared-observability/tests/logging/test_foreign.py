"""Standard logging and structlog end in the same pipeline."""

import asyncio
import copy
import json
import logging
import operator
import sys

import pytest
import structlog

from shared.observability import (
    capture_logs,
    configure_logging,
    get_logger,
    log_context,
    setup_logger,
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


@pytest.mark.skipif(sys.version_info < (3, 12), reason="earlier, filters only answer yes or no")
@pytest.mark.parametrize("own", [True, False])
def test_a_record_that_a_filter_replaced_is_the_one_written(new_lines, own):
    class Mask(logging.Filter):
        def filter(self, record):
            masked = copy.copy(record)
            masked.msg, masked.args = "masked", ()
            return masked

    stream = new_lines()
    configure_logging(output=stream)
    logger = setup_logger("own", output=stream, format_type="json") if own else logging.getLogger()
    logger.handlers[-1].addFilter(Mask())
    logging.getLogger("own").warning("card 4111")
    assert [line["message"] for line in stream.records()] == ["masked"]
    logger.handlers[-1].filters.clear()


@pytest.fixture
def contextvars():
    structlog.contextvars.clear_contextvars()
    yield structlog.contextvars
    structlog.contextvars.clear_contextvars()


def test_structlogs_context_variables_are_on_every_line(lines, contextvars):
    contextvars.bind_contextvars(request="r-1", password="p")
    structlog.get_logger("one").info("m")
    get_logger("two").info("m")
    logging.getLogger("three").warning("m")
    with contextvars.bound_contextvars(request="r-2"), log_context(request="ours"):
        get_logger("four").info("m")
    contextvars.unbind_contextvars("request")
    get_logger("five").info("m")
    found = [(line.get("request"), line["password"]) for line in lines.records()]
    assert found == [(name, "[REDACTED]") for name in ("r-1", "r-1", "r-1", "ours", None)]


async def test_structlogs_context_variables_stay_in_their_task(lines, contextvars):
    async def task(n):
        contextvars.bind_contextvars(n=n)
        await asyncio.sleep(0)
        await structlog.get_logger("x").ainfo("m", mine=n)

    await asyncio.gather(*(task(n) for n in range(20)))
    found = [line for line in lines.records() if line["logger"] == "x"]
    assert all(line["n"] == line["mine"] for line in found)
    assert len(found) == 20


@pytest.mark.parametrize("logger", [get_logger, structlog.get_logger], ids=["ours", "structlog"])
def test_structlogs_capture_sees_our_lines(lines, logger):
    log = logger("shop").bind(a=1)
    with structlog.testing.capture_logs() as entries:
        log.info("placed", b=2)
        logger("shop").warning("odd")
    assert entries == [
        {"event": "placed", "a": 1, "b": 2, "log_level": "info"},
        {"event": "odd", "log_level": "warning"},
    ]
    assert lines.getvalue() == ""
    log.info("again")
    assert lines.last()["message"] == "again"


@pytest.mark.parametrize("logger", [get_logger, structlog.get_logger], ids=["ours", "structlog"])
def test_later_processors_run_before_the_pipeline(lines, logger):
    def add(_logger, method, event_dict):
        if event_dict["event"] == "secret":
            raise structlog.DropEvent
        return {**event_dict, "event": event_dict["event"].upper(), "method": method}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            add,
            structlog.processors.JSONRenderer(),
        ]
    )
    logger("shop").bind(password="p").info("placed", n=1)
    logger("shop").info("secret")
    try:
        operator.truediv(1, 0)
    except ZeroDivisionError:
        logger("shop").exception("failed")
    placed, failed = lines.records()
    assert (placed["message"], placed["method"], placed["n"]) == ("PLACED", "info", 1)
    assert (placed["password"], placed["logger"]) == ("[REDACTED]", "shop")
    assert not [key for key in placed if key.startswith("extra_")]
    assert failed["exception"][0]["type"] == "ZeroDivisionError"


def test_a_text_of_the_last_processor_is_the_message(lines):
    structlog.configure(processors=[lambda _l, _m, event_dict: json.dumps(event_dict)])
    structlog.get_logger("x").info("m", n=1)
    assert json.loads(lines.last()["message"]) == {"event": "m", "n": 1}


def test_structlog_taken_back_by_the_program_leaves_our_lines_alone(lines):
    structlog.reset_defaults()
    get_logger("x").info("m")
    assert lines.last()["message"] == "m"


@pytest.mark.parametrize("logger", [get_logger, structlog.get_logger], ids=["ours", "structlog"])
async def test_the_asynchronous_names(lines, logger):
    log = logger("x").bind(a=1)
    await log.adebug("m")
    await log.ainfo("m %s", 2)
    await log.awarning("m")
    await log.aerror("m")
    await log.acritical("m")
    await log.alog("INFO", "m")
    try:
        operator.truediv(1, 0)
    except ZeroDivisionError:
        await log.aexception("m")
    found = [line for line in lines.records() if line["logger"] == "x"]
    levels = ["debug", "info", "warning", "error", "critical", "info", "error"]
    assert [line["level"] for line in found] == levels
    assert {line["function"] for line in found} == {"test_the_asynchronous_names"}
    assert found[1]["message"] == "m 2"
    assert found[-1]["exception"][0]["type"] == "ZeroDivisionError"


def test_our_capture_runs_later_processors(lines):
    structlog.configure(processors=[lambda _l, _m, event_dict: {**event_dict, "added": 1}])
    with capture_logs() as logs:
        get_logger("x").info("m")
    assert logs[0]["added"] == 1
    assert structlog.get_context(structlog.get_logger().bind(a=1)) == {"a": 1}
