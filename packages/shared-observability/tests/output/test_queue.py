"""Queues in front of slow outputs: counts are exact."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import termios
import textwrap
import threading
import time
from typing import Any

import pytest

from shared.observability import (
    QueuePolicy,
    configure_logging,
    flush,
    get_logger,
    stats,
)
from shared.observability._logging.state import STATE


class Stalled:
    """An output that takes nothing until it is released."""

    def __init__(self):
        self.release = threading.Event()
        self.text = ""

    def write(self, text):
        self.release.wait()
        self.text += text


def sink_of_the_process():
    sink: Any = STATE.pipeline and STATE.pipeline.sink
    return sink


@pytest.mark.parametrize("policy", ["drop_new", "drop_old"])
def test_a_full_queue_drops_and_counts(policy, until):
    output = Stalled()
    configure_logging(output=output, queue=QueuePolicy(10, policy))
    log = get_logger("x")
    log.info("first")
    queue = sink_of_the_process()
    until("the writer to hold the first line", lambda: queue._lines.qsize() == 0)
    for number in range(100):
        log.info("n", number=number)
    assert stats().dropped == 90
    assert stats().queued == 11
    assert flush(0.05) is False
    output.release.set()
    assert flush(5) is True
    numbers = [json.loads(line)["number"] for line in output.text.splitlines()[1:]]
    assert numbers == (list(range(10)) if policy == "drop_new" else list(range(90, 100)))
    assert (stats().written, stats().dropped, stats().queued) == (11, 90, 0)


def test_blocking_loses_nothing(until):
    output = Stalled()
    configure_logging(output=output, queue=QueuePolicy(5, "block"))
    log = get_logger("x")

    def work(t):
        for n in range(50):
            log.info("m", t=t, n=n)

    threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
    for thread in threads:
        thread.start()
    until("a full queue", lambda: sink_of_the_process()._lines.qsize() == 5)
    output.release.set()
    for thread in threads:
        thread.join(20)
    assert flush(5)
    lines = [json.loads(line) for line in output.text.splitlines()]
    assert len(lines) == 200
    for t in range(4):
        assert [line["n"] for line in lines if line["t"] == t] == list(range(50))
    assert stats().dropped == 0


def test_a_stalled_pipe_does_not_stall_the_caller(request):
    reader, writer = os.pipe()
    output = os.fdopen(writer, "w")
    request.addfinalizer(output.close)
    configure_logging(output=output, queue=QueuePolicy(1000))
    log = get_logger("x")
    for number in range(5000):  # far more than the pipe and the queue hold
        log.info("a line that fills the pipe" * 4, number=number)
    counted = stats()
    assert counted.queued >= 1000
    assert counted.written + counted.dropped + counted.queued == 5000
    received = bytearray()

    def read():
        while chunk := os.read(reader, 65536):
            received.extend(chunk)
            if received.count(b"\n") >= 5000 - counted.dropped:
                return

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert flush(10)
    thread.join(10)
    os.close(reader)
    numbers = [json.loads(line)["number"] for line in received.splitlines()]
    assert len(numbers) == stats().written == 5000 - stats().dropped
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ({"size": 0}, ValueError),
        ({"size": 1.5}, ValueError),
        ({"size": True}, TypeError),
        ({"on_full": "panic"}, ValueError),
    ],
)
def test_a_bad_policy_is_named(bad, kind):
    with pytest.raises(kind, match=f"{next(iter(bad))} must be"):
        QueuePolicy(**bad)


def test_exit_with_a_stalled_pipe_does_not_hang():
    reader, writer = os.pipe()
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent("""
            from shared.observability import *
            configure_logging(queue=QueuePolicy(100_000))
            for n in range(5000): get_logger("x").info("x" * 100, n=n)
            import atexit, sys
            atexit._run_exitfuncs()
            s = stats()
            sys.stderr.write(f"{s.written + s.dropped + s.queued}")
            """)],
        stdout=writer, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(writer)
    _, err = process.communicate(timeout=30)
    os.close(reader)
    assert process.returncode == 0
    assert err == "5000"
    assert time.monotonic() - start < 30


def test_a_stalled_queue_closes_its_file_when_it_can(tmp_path, until):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    configure_logging(output=fifo, queue=QueuePolicy(10_000))
    queue = sink_of_the_process()
    for number in range(2000):
        get_logger("x").info("x" * 100, n=number)
    until("a full pipe, which stalls the writer", lambda: _waiting(reader) > 60_000)
    queue.close()
    assert not queue.inner.closed
    until("the writer to close the file", lambda: (_drain(reader), queue.inner.closed)[1])
    os.close(reader)


def _waiting(reader):
    return int.from_bytes(fcntl.ioctl(reader, termios.FIONREAD, bytes(4)), sys.byteorder)


def _drain(reader):
    with contextlib.suppress(BlockingIOError):
        os.read(reader, 65536)
