"""Servers that bring their own loggers and consoles: their lines are ours."""

import http.client
import json
import logging
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import uvicorn

from shared.observability import TelemetryMiddleware, configure_logging

APP = """
from starlette.applications import Starlette
from starlette.routing import Route
from shared.observability import TelemetryMiddleware, configure_logging

configure_logging("INFO", service="shop")


async def boom(request):
    raise RuntimeError("password=hunter2")


app = TelemetryMiddleware(Starlette(routes=[Route("/boom", boom)]))
"""
RUN = """
import uvicorn
uvicorn.run(app, port={port})
"""


@pytest.mark.parametrize("start", ["command", "run", "gunicorn"])
def test_only_json_lines_and_no_secret(tmp_path, until, start):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = APP + (RUN.format(port=port) if start == "run" else "")
    Path(tmp_path, "shop.py").write_text(text, encoding="utf-8")
    commands = {
        "command": ["uvicorn", "shop:app", "--port", str(port)],
        "run": ["shop"],
        "gunicorn": ["gunicorn", "-k", "uvicorn_worker.UvicornWorker", "--access-logfile", "-",
                     "-b", f"127.0.0.1:{port}", "shop:app"],
    }  # fmt: skip
    command = [sys.executable, "-m", *commands[start]]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:

        def answered():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/boom?token=hunter2", headers={"Connection": "close"})
                return connection.getresponse().status
            except OSError:
                return None
            finally:
                connection.close()

        assert until("the server to answer", answered, 30) == 500
        server.terminate()
        output = server.communicate(timeout=30)[0].splitlines()
    first = next(n for n, line in enumerate(output) if line.startswith("{"))
    if start == "run":  # uvicorn configures its own logging after ours, until the lifespan starts
        output = [line for line in output if "Started server" not in line and "Waiting" not in line]
    # gunicorn's master never loads the application: its few lines about workers stay its own.
    masters = "[INFO]" if start == "gunicorn" else None
    ours = [json.loads(line) for line in output[first:] if not masters or masters not in line]
    assert "hunter2" not in "".join(output)
    loggers = {line["logger"] for line in ours}
    assert "http" in loggers
    assert "uvicorn.error" in loggers
    assert all("color_message" not in line for line in ours)


@pytest.fixture
def uvicorn_as_before():
    """The loggers of uvicorn live as long as the process."""
    loggers = [logging.getLogger(f"uvicorn{name}") for name in ("", ".error", ".access", ".asgi")]
    before = [(list(one.handlers), one.level, one.propagate) for one in loggers]
    yield
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)


@pytest.mark.usefixtures("uvicorn_as_before")
async def test_a_server_that_configures_its_logging_later(new_lines):
    stream = new_lines()
    configure_logging(output=stream)
    uvicorn.Config(lambda: None).configure_logging()
    assert logging.getLogger("uvicorn").handlers

    async def app(scope, receive, send):
        pass

    await TelemetryMiddleware(app, name="late")({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    logging.getLogger("uvicorn.error").error("theirs")
    logging.getLogger("uvicorn.access").info("theirs")
    assert [line["message"] for line in stream.records()] == ["theirs", "theirs"]


def test_files_of_servers_stay(tmp_path):
    logger = logging.getLogger("gunicorn.error")
    file = logging.FileHandler(tmp_path / "error.log")
    logger.addHandler(file)
    configure_logging()
    assert logger.handlers == [file]
    logger.removeHandler(file)
    file.close()
