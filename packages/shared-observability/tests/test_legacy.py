"""Old names are the same objects, and the arguments of old snippets are accepted."""

import pytest

import shared.observability as obs
from shared.observability import (
    Emoji,
    SystemReporter,
    capture_logs,
    configure_logging,
    get_logger,
    log_calls,
    measure_memory,
)


def test_async_names_are_the_same_objects():
    assert obs.async_timed is obs.timed is obs.measure_execution_time
    assert obs.async_log_exceptions is obs.log_exceptions
    assert obs.async_log_calls is obs.log_calls
    assert obs.async_deprecated is obs.deprecated


def test_the_old_arguments_of_log_calls():
    @log_calls(log_args=True, log_result=True)
    def important(arg1, arg2):
        return arg1 + arg2

    @log_calls(log_args=False, log_result=False)
    def silent(arg1):
        return arg1

    with capture_logs() as logs:
        assert important(1, arg2=2) == 3
        silent(1)
    assert (logs[0]["arguments"], logs[0]["result"]) == ({"arg1": 1, "arg2": 2}, 3)
    assert not {"arguments", "result"} & set(logs[1])


def test_the_old_name_of_the_file(tmp_path):
    configure_logging(level="INFO", log_file=str(tmp_path / "app.log"))
    get_logger("seed").info("This is an info message")
    assert '"message":"This is an info message"' in (tmp_path / "app.log").read_text("utf-8")
    with pytest.raises(ValueError, match="output must be left out if log_file is given"):
        configure_logging(output="stderr", log_file=tmp_path / "app.log")


def test_the_old_name_of_allocated_bytes():
    with measure_memory("memory_operation") as tracker:
        kept = bytes(100_000)
    assert tracker.memory_used == tracker.allocated >= len(kept)


def test_a_context_that_is_a_name(tmp_path, capsys):
    reporter = SystemReporter(name="my_service", log_dir=tmp_path, verbose=2)
    reporter.info(f"{Emoji.SUCCESS} Operation completed", context="Service")
    reporter.error("failed", context="password=hunter2")
    reporter.close()
    out = capsys.readouterr().out
    assert "Operation completed (context=Service)" in out
    file = (tmp_path / "my_service.log").read_text("utf-8")
    assert '"context":"Service"' in file
    assert "hunter2" not in out + file
    with pytest.raises(TypeError, match="context must be a mapping, a string or None, not 7"):
        reporter.info("x", context=7)  # type: ignore[arg-type]
