"""Exceptions as data."""

import logging
import sys

from shared.observability import get_logger


def test_exceptions_are_data(lines):
    def fail():
        try:
            raise KeyError("token=abc")
        except KeyError as error:
            raise ValueError("no\nway") from error

    try:
        fail()
    except ValueError:
        get_logger("x").exception("failed")
    first, second = lines.last()["exception"]
    assert (first["type"], first["message"], first["module"]) == (
        "ValueError",
        "no\nway",
        "builtins",
    )
    assert first["cause"] == "cause"
    assert first["frames"][-1]["function"] == "fail"
    assert set(first["frames"][0]) == {"file", "line", "function"}
    assert (second["type"], second["cause"]) == ("KeyError", None)
    assert "abc" not in second["message"]


def test_suppressed_groups_and_cycles(lines):
    try:
        try:
            raise KeyError("hidden")
        except KeyError:
            raise ExceptionGroup(
                "many", [ValueError(1), ExceptionGroup("inner", [OSError(2)])]
            ) from None
    except ExceptionGroup as error:
        get_logger("x").error("failed", exc_info=error)
    (only,) = lines.last()["exception"]
    assert only["suppressed"] is True
    assert [member[0]["type"] for member in only["group"]] == ["ValueError", "ExceptionGroup"]
    assert only["group"][1][0]["group"][0][0]["type"] == "OSError"

    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    get_logger("x").error("failed", exc_info=one)
    assert len(lines.last()["exception"]) == 2


def test_frames_and_chains_are_capped(lines):
    def recurse(n):
        if n == 0:
            raise ValueError("deep")
        recurse(n - 1)

    try:
        recurse(500)
    except ValueError as error:
        get_logger("x").error("failed", exc_info=error)
    frames = lines.last()["exception"][0]["frames"]
    assert len(frames) == 31
    assert "471 frames cut" in frames[15]["file"] or "frames cut" in frames[15]["file"]


def test_exc_info_of_standard_logging(lines):
    try:
        raise ValueError("x")
    except ValueError:
        logging.getLogger("lib").exception("failed", stack_info=True)
        logging.getLogger("lib").error("tuple", exc_info=sys.exc_info())  # noqa: G201
    for line in lines.records():
        assert line["exception"][0]["type"] == "ValueError"
