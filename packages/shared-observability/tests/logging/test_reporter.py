"""The console of a person, and the file of everything."""

import io
import json
import os
import pty
import subprocess
import sys
import textwrap

import pytest

from shared.observability import (
    Emoji,
    SystemReporter,
)


@pytest.mark.parametrize("verbose", [0, 1, 2, 3])
def test_reporter_verbosity_and_file(tmp_path, verbose):
    stream = io.StringIO()
    context = {"rows": 3, "password": "hunter2", "odd": "\x1b[31m\n"}
    with SystemReporter("job", tmp_path / "logs", verbose=verbose, stream=stream) as reporter:
        for method in ("debug", "info", "success", "warning", "error", "critical"):
            getattr(reporter, method)(f"{method} \x1b[31m\nmessage", context=context)
    shown = stream.getvalue()
    names = [
        m
        for m in ("debug", "info", "success", "warning", "error", "critical")
        if f"{m} \\x1b" in shown
    ]
    everything = ["debug", "info", "success", "warning", "error", "critical"]
    assert (
        names == {0: everything[3:], 1: everything[1:], 2: everything[1:], 3: everything}[verbose]
    )
    assert ("rows=3" in shown) == (verbose >= 2)
    assert shown.count("\n") == len(names)
    assert "\x1b" not in shown
    assert "hunter2" not in shown
    assert Emoji.ERROR in shown
    lines = [json.loads(line) for line in (tmp_path / "logs/job.log").read_text().splitlines()]
    assert [line["level"] for line in lines] == [
        "debug",
        "info",
        "info",
        "warning",
        "error",
        "critical",
    ]
    assert lines[0]["rows"] == 3
    assert lines[0]["password"] == "[REDACTED]"
    assert lines[0]["function"] == "test_reporter_verbosity_and_file"


def test_reporter_error_has_the_exception_in_the_file(tmp_path):
    reporter = SystemReporter("job", tmp_path, stream=io.StringIO())
    try:
        raise ValueError("x")
    except ValueError:
        reporter.error("failed")
    assert json.loads((tmp_path / "job.log").read_text())["exception"][0]["type"] == "ValueError"
    reporter.close()
    reporter.info("after close")


def test_reporter_colours_only_a_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    code = textwrap.dedent("""
        from shared.observability import SystemReporter
        SystemReporter("job").error("failed")
        """)
    piped = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b"\x1b" not in piped.stdout
    for variable, coloured in (("X", True), ("NO_COLOR", False)):
        ours, theirs = pty.openpty()
        subprocess.run(
            [sys.executable, "-c", code],
            stdout=theirs,
            check=True,
            env={**os.environ, variable: "1"},
        )
        os.close(theirs)
        shown = os.read(ours, 4096)
        os.close(ours)
        assert (b"\x1b[31m" in shown) is coloured
        assert b"failed" in shown


def test_reporter_on_a_poor_console():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    SystemReporter("job", stream=stream).info("größe")
    assert raw.getvalue() == b"INFO gr\\xf6\\xdfe\n"
    stream.close()
    SystemReporter("job", stream=stream).info("closed console")


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ({"verbose": 4}, ValueError),
        ({"verbose": True}, TypeError),
        ({"name": ""}, ValueError),
        ({"name": "a/b"}, ValueError),
    ],
)
def test_reporter_refuses(bad, kind):
    with pytest.raises(kind, match=f"{next(iter(bad))} must be"):
        SystemReporter(**{"name": "x", **bad})
