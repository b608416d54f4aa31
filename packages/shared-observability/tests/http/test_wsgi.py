"""The WSGI middleware behind a real server."""

import contextlib
import json
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest
from prometheus_client import CollectorRegistry

from shared.observability import (
    WSGITelemetryMiddleware,
    capture_logs,
    correlation_id,
    get_logger,
    setup_tracing,
)

log = get_logger("app")


@pytest.fixture
def registry():
    return CollectorRegistry()


def request_lines(logs, count, until):
    def found():
        lines = [line for line in logs if line["logger"] == "http"]
        return lines if len(lines) >= count else None

    return until(f"{count} request lines", found)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def wsgi_app(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/users/"):
        environ["observability.route"] = "/users/{id}"
    if path == "/boom":
        raise RuntimeError("token=hunter2")
    log.info("in the handler")
    start_response("200 OK", [("Content-Type", "text/plain")])

    def body():
        log.info("part")
        yield str(correlation_id()).encode()
        if path == "/late":
            raise RuntimeError("late")

    return body()


def test_wsgi(registry, capsys, until):
    server = make_server(
        "127.0.0.1",
        0,
        WSGITelemetryMiddleware(wsgi_app, name="web", registry=registry),
        WSGIServer,
        Quiet,
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    tracer = setup_tracing(service_name="x", exporter_type="none")
    with capture_logs() as logs:
        url = f"http://127.0.0.1:{server.server_port}"
        answer = httpx.get(f"{url}/users/7", headers={"X-Correlation-ID": "mine"})
        assert answer.text == answer.headers["x-correlation-id"] == "mine"
        for n in range(20):
            httpx.get(f"{url}/nowhere/{n}")
        assert httpx.get(f"{url}/boom").status_code == 500
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"{url}/late")
        lines = request_lines(logs, 23, until)
        log.info("outside")
    server.shutdown()
    thread.join()
    server.server_close()
    tracer.shutdown(1)
    assert [line["message"] for line in logs[:3]] == ["in the handler", "part", "request"]
    assert {line["correlation_id"] for line in logs[:3]} == {"mine"}
    assert len({line["span_id"] for line in logs[:3]}) == 1
    assert (lines[0]["route"], lines[0]["path"], lines[0]["status"]) == (
        "/users/{id}",
        "/users/7",
        200,
    )
    assert lines[-1]["exception"][0]["message"] == "late"
    assert "correlation_id" not in logs[-1]
    labels = {"method": "GET", "route": "/users/{id}", "status": "200"}
    assert registry.get_sample_value("web_requests_total", labels) == 1
    unmatched = {"method": "GET", "route": "unmatched", "status": "200"}
    assert registry.get_sample_value("web_requests_total", unmatched) == 20
    failed = {"method": "GET", "route": "unmatched", "status": "500"}
    assert registry.get_sample_value("web_errors_total", failed) == 2
    assert registry.get_sample_value("web_requests_in_progress") == 0
    assert "hunter2" not in json.dumps(logs)
