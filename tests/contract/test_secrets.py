"""One vocabulary of secrets: every hostile text through every surface that shows text, one verdict."""

import contextlib
import html
import io
import json
import logging
import re
import socketserver
import struct
import threading
import traceback
from pathlib import Path

import pytest
import redis

from shared.config import ConfigurationError, ConfigValidator, PostgresURL, Secret, load_settings
from shared.core.checks import refuse
from shared.core.redaction import MARKER
from shared.db import DatabaseConnections, DatabaseError
from shared.health import Health
from shared.observability import bind, capture_logs, configure_logging, get_logger, unbind
from shared.resilience import RedisCircuitBreaker, RedisRateLimiter

ROOT = Path(__file__).resolve().parents[2]
TABLE = json.loads(
    (ROOT / "packages/shared-core/tests/hostile_texts.json").read_text(encoding="utf-8")
)
each_secret = pytest.mark.parametrize("entry", TABLE["secret"], ids=lambda entry: entry["kind"])


def hidden(text, entry):
    """The secret does not show, and the one marker stands in its place."""
    assert entry["secret"] not in text, entry["kind"]
    assert MARKER in text, entry["kind"]
    assert "***" not in text


def line(log):
    """Return the one JSON line that was logged meanwhile."""
    stream = io.StringIO()
    configure_logging("INFO", format="json", output=stream)
    log()
    (text,) = stream.getvalue().splitlines()
    return json.loads(text)


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    configure_logging("INFO", format="json", output="stderr")
    root.handlers[:] = handlers
    root.setLevel(level)


def test_there_are_enough_hostile_texts():
    assert len(TABLE["secret"]) >= 30
    assert len(TABLE["plain"]) >= 10


@each_secret
def test_log_lines(entry):
    def log():
        bind(bound=entry["text"])
        try:
            get_logger("shop").info(entry["text"], field=entry["text"], deep={"a": [entry["text"]]})
        finally:
            unbind("bound")

    found = line(log)
    shown = entry["shown"]
    assert found["message"] == found["field"] == found["bound"] == found["deep"]["a"][0] == shown
    assert entry["secret"] not in json.dumps(found)


@each_secret
def test_records_of_the_standard_library(entry):
    found = line(lambda: logging.getLogger("lib").warning("said %s", entry["text"]))
    assert found["message"] == f"said {entry['shown']}"


@each_secret
def test_exceptions_in_log_lines(entry):
    def log():
        try:
            try:
                raise KeyError(entry["text"])
            except KeyError as error:
                raise RuntimeError(entry["text"]) from error
        except RuntimeError:
            get_logger("shop").exception("failed")

    found = line(log)
    assert found["exception"][0]["message"] == entry["shown"]
    hidden(json.dumps(found), entry)


@each_secret
def test_captured_logs_and_text_lines(entry):
    stream = io.StringIO()
    configure_logging("INFO", format="text", output=stream)
    get_logger("shop").info("asked", answer=entry["text"])
    hidden(stream.getvalue(), entry)
    with capture_logs() as captured:
        get_logger("shop").info("asked", answer=entry["text"])
    assert captured[0]["answer"] == entry["shown"]


@each_secret
def test_the_status_page_and_verbose_json(entry):
    health = Health("shop")

    def check():
        raise RuntimeError(entry["text"])

    health.add("store", check, fail_after=1)
    with health:
        assert health.wait_first(30)
        app = health.wsgi_app()
        page = html.unescape(answer(app, "/health", "text/html", "verbose=1"))
        verbose = json.loads(answer(app, "/health", "application/json", "verbose=1"))
    plain = re.sub(r"<[^>]*>", "", page)
    hidden(plain, entry)
    assert f"RuntimeError: {entry['shown']}" in strings(verbose)
    hidden("\n".join(strings(verbose)), entry)


def strings(value):
    """Return every text in a JSON value."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in strings(inner)]
    return [value] if isinstance(value, str) else []


def answer(app, path, accept, query=""):
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_ACCEPT": accept,
        "wsgi.input": io.BytesIO(),
        "REMOTE_ADDR": "127.0.0.1",
    }
    return b"".join(app(environ, lambda status, headers: None)).decode()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    text = ""  # what it answers


class _Postgres(socketserver.BaseRequestHandler):
    """Refuses every client with the text: PostgreSQL's own error message on the wire."""

    server: _Server

    def handle(self):
        while True:
            (size,) = struct.unpack("!I", self.request.recv(4))
            if struct.unpack("!I", self.request.recv(size - 4)[:4])[0] != 80877103:  # TLS?
                break
            self.request.sendall(b"N")
        fields = b"SFATAL\0VFATAL\0C28000\0M" + self.server.text.encode() + b"\0\0"
        self.request.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)


class _Redis(socketserver.BaseRequestHandler):
    """Answers every command with an error of the text."""

    server: _Server

    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(f"-ERR {self.server.text}\r\n".encode() * data.count(b"*"))


@contextlib.contextmanager
def serving(handler):
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@pytest.mark.parametrize(("kind", "handler"), [("postgres", _Postgres), ("redis", _Redis)])
def test_errors_of_databases_and_reports_of_services(kind, handler):
    variable = kind.upper()
    with serving(handler) as server:
        port = server.server_address[1]
        env = {f"{variable}_HOST": "127.0.0.1", f"{variable}_PORT": str(port)}
        if kind == "postgres":
            env |= {"POSTGRES_PASSWORD": "the-very-password"}
        settings = load_settings(env=env, dotenv=None)
        for entry in TABLE["secret"]:
            server.text = entry["text"]
            report = ConfigValidator(settings).validate_services(timeout=10)
            detail = report.health[kind].detail
            hidden(detail, entry)
            hidden(str(report), entry)
            hidden(json.dumps(report.to_dict()), entry)
            with DatabaseConnections.from_settings(settings) as db:
                hidden(str(db.ping()[kind]), entry)
                with pytest.raises(DatabaseError) as caught:
                    db.health_checks(timeout=10)[kind]()
            hidden("".join(traceback.format_exception(caught.value)), entry)


def test_repr_of_settings_and_clients():
    secret = "hunter2-hunter2"
    env = {
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PASSWORD": secret,
        "REDIS_URL": f"redis://:{secret}@127.0.0.1:6379/0",
        "QDRANT_API_KEY": secret,
        "CLICKHOUSE_PASSWORD": secret,
    }
    settings = load_settings(env=env, dotenv=None)
    url = f"redis://:{secret}@127.0.0.1:6379/0"
    db = DatabaseConnections.from_settings(settings)
    things = [
        settings,
        settings.database,
        Secret(secret),
        PostgresURL(f"postgresql://app:{secret}@db/orders"),
        db,
        db.postgres,
        db.clickhouse,
        db.qdrant,
        RedisCircuitBreaker(redis.Redis.from_url(url), "x"),
        RedisRateLimiter(redis.Redis.from_url(url), "x", 1),
        vars(settings.database) if hasattr(settings.database, "__dict__") else None,
    ]
    for thing in things:
        text = f"{thing!r} {thing} {thing!s:>1}"
        assert secret not in text, type(thing)
        assert "***" not in text, type(thing)
    assert MARKER in repr(settings.database)
    assert MARKER in str(Secret(secret))


@each_secret
def test_refused_settings_and_arguments(entry):
    with pytest.raises(ConfigurationError) as caught:
        load_settings(env={"POSTGRES_PORT": entry["text"]}, dotenv=None)
    assert entry["secret"] not in f"{caught.value} {caught.value!r}"
    hidden(str(refuse("port", "a number", entry["text"])), entry)
