"""Failing outputs, threads, signals, exit: counts are exact."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading

import pytest

from shared.observability import (
    QueuePolicy,
    configure_logging,
    flush,
    get_logger,
    stats,
)
from shared.observability._output.sink import DescriptorSink


class Broken:
    def write(self, text):
        raise OSError("no space left")


def python(code, **options):
    """Run a program of its own; returns stdout, one dict a line."""
    result = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=60, check=False, **options,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_a_failing_sink_neither_raises_nor_hides():
    for queue in (None, QueuePolicy(10)):
        before = stats().dropped
        configure_logging(output=Broken(), queue=queue)
        get_logger("x").info("m")
        logging.getLogger("x").warning("m")
        assert flush(5)
        assert stats().dropped - before == 2


def test_logging_after_close_is_counted(tmp_path):
    stream = io.StringIO()
    configure_logging(output=stream)
    stream.close()
    get_logger("x").info("m")
    assert stats().dropped == 1
    reader, writer = os.pipe()
    sink = DescriptorSink(writer, owned=True)
    sink.close()
    os.close(reader)
    sink.write(b"x\n")
    assert sink.dropped == 1


def test_a_sink_that_logs_does_not_recurse():
    class Chatty(io.StringIO):
        def write(self, text):
            get_logger("inner").info("from the sink") if "outer" in text else None
            return super().write(text)

    output = Chatty()
    configure_logging(output=output)
    get_logger("outer").info("outer")
    assert [json.loads(line)["logger"] for line in output.getvalue().splitlines()] == [
        "outer",
        "inner",
    ]


@pytest.mark.parametrize("queue", [None, QueuePolicy(100_000)])
def test_signal_handlers_may_log(new_lines, queue):
    stream = new_lines()
    configure_logging(output=stream, queue=queue)
    log, std = get_logger("x"), logging.getLogger("std")
    seen = 0

    def handler(number, frame):
        nonlocal seen
        seen += 1
        log.info("signal", n=seen)
        std.info("signal")

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        sent = 0
        while seen < 100:
            log.info("main", n=sent, nested={"a": [1]})
            sent += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert flush(10)
    names = [line["message"] for line in stream.records()]
    assert names.count("signal") == 2 * seen
    assert names.count("main") == sent
    assert stats().dropped == 0


def test_a_signal_during_a_blocked_write():
    """The main thread hangs in a write; its handler logs; both lines arrive whole."""
    lines, _ = python("""
        import os, signal, sys, threading, time
        from shared.observability import *
        r, w = os.pipe()
        configure_logging(output=os.fdopen(w, "w"))
        log = get_logger("x")
        signal.signal(signal.SIGALRM, lambda *a: log.info("from the handler"))
        got = bytearray()
        def read():
            time.sleep(0.4)
            while chunk := os.read(r, 4096): got.extend(chunk)
        thread = threading.Thread(target=read, daemon=True); thread.start()
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        log.info("m", parts=["x" * 10_000] * 20)
        while got.count(b"\\n") < 2: time.sleep(0.01)
        sys.stdout.write(got.decode())
        """)
    assert sorted(line["message"] for line in lines) == ["from the handler", "m"]


def test_del_and_exit_may_log():
    lines, err = python("""
        import atexit
        from shared.observability import *
        atexit.register(lambda: get_logger("x").info("late"))      # runs after ours
        configure_logging(queue=QueuePolicy(100))
        atexit.register(lambda: get_logger("x").info("early"))     # runs before ours
        class Noisy:
            def __del__(self): get_logger("x").info("del")
        keep = Noisy(); keep.me = keep
        import threading
        threading.Thread(target=lambda: get_logger("x").info("thread")).start()
        get_logger("x").info("main")
        """)
    messages = [line["message"] for line in lines]
    assert sorted(messages[:4]) == ["early", "late", "main", "thread"]
    assert set(messages[4:]) <= {"del"}
    assert err == ""


def test_many_threads_one_file(tmp_path):
    path = tmp_path / "app.log"
    configure_logging(output=path)
    log = get_logger("x")

    def work(t):
        for n in range(250):
            log.info("m", t=t, n=n)

    threads = [threading.Thread(target=work, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted((line["t"], line["n"]) for line in lines) == [
        (t, n) for t in range(8) for n in range(250)
    ]
    assert stats().written == 2000


def test_streams_of_all_kinds(tmp_path):
    binary, wrapped = io.BytesIO(), tempfile.NamedTemporaryFile(dir=tmp_path)  # noqa: SIM115
    poor = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    for output in (binary, wrapped, poor):
        configure_logging(output=output)
        get_logger("x").info("größe 🔥")
    assert stats().dropped == 0
    wrapped.seek(0)
    for raw in (binary.getvalue(), wrapped.read(), poor.detach().getvalue()):
        assert json.loads(raw)["message"] == "größe 🔥"
    wrapped.close()
