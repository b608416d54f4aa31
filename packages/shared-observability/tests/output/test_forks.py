"""A forked child logs at once, and only its own lines."""

import json
import subprocess
import sys
import textwrap

import pytest


def python(code, **options):
    """Run a program of its own; returns stdout, one dict a line."""
    result = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=60, check=False, **options,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


@pytest.mark.parametrize("queue", ["None", "QueuePolicy(100)"])
def test_fork_while_the_lock_is_held(queue):
    lines, _ = python(f"""
        import os, sys, threading, time, warnings
        from shared.observability import *
        from shared.observability._logging.state import STATE
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
