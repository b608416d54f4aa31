# mypy: disable-error-code="union-attr, func-returns-value, arg-type"
"""Queues, stalled pipes, forks, signals, failing outputs, exit, rotation: counts are exact."""

import contextlib
import fcntl
import gc
import io
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import termios
import textwrap
import threading
import time
from pathlib import Path

import pytest

from shared.observability import (
    QueuePolicy,
    configure_logging,
    flush,
    get_logger,
    setup_logger,
    stats,
)
from shared.observability._sink import DescriptorSink
from shared.observability._state import STATE


class Stalled:
    """An output that takes nothing until it is released."""

    def __init__(self):
        self.release = threading.Event()
        self.text = ""

    def write(self, text):
        self.release.wait()
        self.text += text


class Broken:
    def write(self, text):
        raise OSError("no space left")


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.001)


def python(code, **options):
    """Run a program of its own; returns stdout, one dict a line."""
    result = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=60, check=False, **options,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


@pytest.mark.parametrize("policy", ["drop_new", "drop_old"])
def test_a_full_queue_drops_and_counts(policy):
    output = Stalled()
    configure_logging(output=output, queue=QueuePolicy(10, policy))
    log = get_logger("x")
    log.info("first")
    queue = STATE.pipeline.sink
    wait_until(lambda: queue._lines.qsize() == 0)  # the writer holds the first one
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


def test_blocking_loses_nothing():
    output = Stalled()
    configure_logging(output=output, queue=QueuePolicy(5, "block"))
    log = get_logger("x")
    threads = [
        threading.Thread(target=lambda t=t: [log.info("m", t=t, n=n) for n in range(50)])
        for t in range(4)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: STATE.pipeline.sink._lines.qsize() == 5)
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


@pytest.mark.parametrize("bad", [{"size": 0}, {"size": True}, {"size": 1.5}, {"on_full": "panic"}])
def test_a_bad_policy_is_named(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        QueuePolicy(**bad)


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


def test_reconfiguring_leaks_nothing(tmp_path):
    def count():
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    def cycle(n):
        configure_logging(
            output=tmp_path / f"{n % 3}.log", queue=QueuePolicy(10) if n % 2 else None
        )
        get_logger("x").info("m", n=n)
        setup_logger("plain", output=tmp_path / "plain.log").info("m")

    for n in range(4):
        cycle(n)
    before = count()
    for n in range(50):
        cycle(n)
    after = count()
    assert after[0] <= before[0] + 1
    wait_until(lambda: count()[1] <= before[1])
    assert stats().written == 108 - stats().queued
    assert stats().dropped == 0


@pytest.mark.parametrize("queue", ["None", "QueuePolicy(100)"])
def test_fork_while_the_lock_is_held(queue):
    lines, _ = python(f"""
        import os, sys, threading, time, warnings
        from shared.observability import *
        from shared.observability._state import STATE
        warnings.simplefilter("ignore")
        r, w = os.pipe()
        configure_logging(output=os.fdopen(w, "w"), queue={queue})
        get_logger("x").info("parent before"); flush(5)
        sink = STATE.pipeline.sink
        held, done = threading.Event(), threading.Event()
        def hold():
            with sink._lock, getattr(sink, "inner", sink)._lock:
                held.set(); done.wait()
        threading.Thread(target=hold).start()
        held.wait()
        start = time.monotonic()
        pid = os.fork()
        if pid == 0:
            get_logger("x").info("child")
            ok = flush(5)
            os._exit(0 if ok and time.monotonic() - start < 1 else 1)
        status = os.waitpid(pid, 0)[1]
        done.set()
        get_logger("x").info("parent after"); flush(5)
        assert status == 0, status
        sys.stdout.write(os.read(r, 65536).decode())
        """)
    assert [line["message"] for line in lines] == ["parent before", "child", "parent after"]


def test_a_child_does_not_repeat_the_parents_queue():
    lines, _ = python("""
        import os, sys, threading, warnings
        from shared.observability import *
        warnings.simplefilter("ignore")
        gate = threading.Event()
        class Slow:
            def write(self, text):
                gate.wait(); os.write(1, text.encode())
        configure_logging(output=Slow(), queue=QueuePolicy(100))
        for n in range(10): get_logger("x").info("parent", n=n)
        pid = os.fork()
        gate.set()
        if pid == 0:
            get_logger("x").info("child"); os._exit(0 if flush(5) else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert flush(5)
        """)
    assert sorted(line["message"] for line in lines) == ["child"] + ["parent"] * 10


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


ROTATE = """
    import sys
    from shared.observability import *
    configure_logging(output=sys.argv[1], rotate=sys.argv[2], keep=1000)
    log = get_logger("x")
    for n in range(int(sys.argv[4])):
        log.info("a line of some length", process=int(sys.argv[3]), n=n)
    sys.exit(stats().dropped)
    """


def rotated(path):
    """All lines of all files."""
    lines = []
    for file in path.parent.glob(path.name + "*"):
        text = file.read_text()
        assert text.endswith("\n")
        lines += [json.loads(line) for line in text.splitlines()]
    return lines


def test_rotation_by_four_processes_loses_no_line(tmp_path):
    path = tmp_path / "app.log"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ROTATE), str(path), "20 KB", str(p), "500"]
        )
        for p in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0] * 4
    found = sorted((line["process"], line["n"]) for line in rotated(path))
    assert found == [(p, n) for p in range(4) for n in range(500)]
    files = list(tmp_path.iterdir())
    assert len(files) > 10
    assert all(file.stat().st_size <= 20_000 for file in files)


def test_rotation_across_a_fork(tmp_path):
    path = tmp_path / "app.log"
    python(f"""
        import os, warnings
        from shared.observability import *
        warnings.simplefilter("ignore")
        configure_logging(output={str(path)!r}, rotate="5 KB", keep=1000)
        get_logger("x").info("m", n=-1, p=0)
        pids = []
        for p in range(3):
            pid = os.fork()
            if pid == 0:
                for n in range(200): get_logger("x").info("m", n=n, p=p)
                os._exit(stats().dropped)
            pids.append(pid)
        for n in range(200): get_logger("x").info("m", n=n, p=3)
        assert all(os.waitpid(pid, 0)[1] == 0 for pid in pids)
        """)
    assert len(rotated(path)) == 801


def test_rotation_by_period_and_keep(tmp_path):
    path = tmp_path / "app.log"
    configure_logging(output=path, rotate="1 day", keep=2)
    log = get_logger("x")
    for day in range(5, 0, -1):
        log.info("m", day=day)
        then = time.time() - day * 86_400
        os.utime(path, (then, then))
    log.info("m", day=0)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["app.log", "app.log.1", "app.log.2"]
    assert [line["day"] for line in map(json.loads, path.read_text().splitlines())] == [0]
    assert json.loads((tmp_path / "app.log.2").read_text())["day"] == 2


@pytest.mark.parametrize("rotate", ["", "fast", "0 MB", "-1 day", "10", 5, "1 parsec"])
def test_a_bad_rotation_is_named(tmp_path, rotate):
    with pytest.raises(ValueError, match="rotate"):
        configure_logging(output=tmp_path / "x.log", rotate=rotate)


def test_bad_outputs_are_named(tmp_path):
    with pytest.raises(TypeError, match="output"):
        configure_logging(output=5)
    with pytest.raises(ValueError, match="rotate"):
        configure_logging(output="stdout", rotate="1 MB")
    with pytest.raises(OSError, match=str(tmp_path)):
        configure_logging(output=tmp_path)
    with pytest.raises(ValueError, match="json, text"):
        configure_logging(format="xml")
    with pytest.raises(ValueError, match="otel or ecs"):
        configure_logging(schema="gelf")


def test_many_threads_one_file(tmp_path):
    path = tmp_path / "app.log"
    configure_logging(output=path)
    log = get_logger("x")
    threads = [
        threading.Thread(target=lambda t=t: [log.info("m", t=t, n=n) for n in range(250)])
        for t in range(8)
    ]
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


def test_a_stalled_queue_closes_its_file_when_it_can(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    configure_logging(output=fifo, queue=QueuePolicy(10_000))
    queue = STATE.pipeline.sink
    for number in range(2000):
        get_logger("x").info("x" * 100, n=number)
    wait_until(lambda: _waiting(reader) > 60_000)  # the pipe is full: the writer is held up
    queue.close()
    assert not queue.inner.closed
    wait_until(lambda: (_drain(reader), queue.inner.closed)[1])
    os.close(reader)


def _waiting(reader):
    return int.from_bytes(fcntl.ioctl(reader, termios.FIONREAD, bytes(4)), sys.byteorder)


def _drain(reader):
    with contextlib.suppress(BlockingIOError):
        os.read(reader, 65536)
