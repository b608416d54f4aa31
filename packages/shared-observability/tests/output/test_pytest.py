"""pytest's fixtures see our lines, in every test again."""

import io
import logging
import operator
import sys

from shared.observability import configure_logging, correlation, get_logger


def test_capsys_after_it_was_configured_with_another_stream(capsys, monkeypatch):
    first = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", first)
        configure_logging("INFO", output="stdout")
        get_logger("x").info("one")
    get_logger("x").info("two")
    assert '"message":"one"' in first.getvalue()
    out = capsys.readouterr().out
    assert '"message":"two"' in out
    assert '"message":"one"' not in out


def test_capsys_without_configuration(capsys):
    get_logger("x").warning("quiet")
    assert "quiet" in capsys.readouterr().err


def test_capfd(capfd):
    configure_logging("INFO", output="stdout")
    get_logger("x").info("hello")
    assert '"message":"hello"' in capfd.readouterr().out


def test_caplog(caplog):
    configure_logging("DEBUG", output="stdout")
    with correlation("c-1"):
        get_logger("shop").bind(a=1).warning("%s placed", "order", b=2, password="p")
    logging.getLogger("lib").warning("standard")
    assert caplog.record_tuples == [
        ("shop", logging.WARNING, "order placed"),
        ("lib", logging.WARNING, "standard"),
    ]
    record = caplog.records[0]
    assert (record.a, record.b, record.correlation_id) == (1, 2, "c-1")
    assert record.password == "[REDACTED]"
    assert (record.funcName, record.module) == ("test_caplog", "test_pytest")


def test_caplog_without_configuration_and_with_an_exception(caplog):
    try:
        operator.truediv(1, 0)
    except ZeroDivisionError:
        get_logger("x").exception("failed")
    assert "failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text
