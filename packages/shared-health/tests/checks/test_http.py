"""The check of a URL, against a real server."""

from __future__ import annotations

import http.server
import threading
import time

import pytest

from shared.health import HealthStatus, checks

H, D, U = HealthStatus.HEALTHY, HealthStatus.DEGRADED, HealthStatus.UNHEALTHY


@pytest.fixture
def web():
    """A real HTTP server; the path is the status, /slow takes its time."""
    hits = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append((self.path, dict(self.headers)))
            if self.path == "/slow":
                time.sleep(0.2)
            status = int(self.path[1:]) if self.path[1:].isdigit() else 200
            self.send_response(status)
            self.send_header("Location", "/200")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", hits
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "settings", "status", "message"),
    [
        ("/200", {}, H, ""),
        ("/500", {}, U, "answered 500"),
        ("/302", {}, U, "answered 302"),
        ("/302", {"expect": {302}}, H, ""),
        ("/slow", {"slow_after": 0.1}, D, "slow: 0."),
    ],
)
def test_the_answer_is_judged(web, path, settings, status, message):
    found = checks.http(f"{web[0]}{path}", **settings)()
    assert found.status is status
    assert found.message.startswith(message)


def test_headers_are_sent(web):
    url, hits = web
    checks.http(f"{url}/200", headers={"X-Key": "k"})()
    assert hits[-1][1]["X-Key"] == "k"


def test_proxies_are_not_used(web, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert checks.http(f"{web[0]}/200")().status is H


def test_a_slow_answer_times_out(web):
    with pytest.raises(TimeoutError):
        checks.http(f"{web[0]}/slow", timeout=0.05)()


def test_only_http_is_checked():
    with pytest.raises(ValueError, match="url must be an http:// or https:// URL, not 'file:"):
        checks.http("file:///etc/passwd")
