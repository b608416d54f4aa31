"""The WSGI middleware behind a real server."""

import contextlib
import io
import json
import threading
from typing import Any
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


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass

    def get_stderr(self):
        return io.StringIO()  # the tracebacks of the failures below


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


@pytest.fixture(scope="module")
def counted():
    return CollectorRegistry()


@pytest.fixture(scope="module")
def served(counted, request_lines):
    """One of each request: the first answer, all log lines, and the request lines."""
    app = WSGITelemetryMiddleware(wsgi_app, name="web", registry=counted)
    server = make_server("127.0.0.1", 0, app, WSGIServer, Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    tracer = setup_tracing(service_name="x", exporter_type="none")
    with capture_logs() as logs:
        url = f"http://127.0.0.1:{server.server_port}"
        answer = httpx.get(f"{url}/users/7", headers={"X-Correlation-ID": "mine"})
        for n in range(20):
            httpx.get(f"{url}/nowhere/{n}")
        assert httpx.get(f"{url}/boom").status_code == 500
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"{url}/late")
        lines = request_lines(logs, 23)
        log.info("outside")
    server.shutdown()
    thread.join()
    server.server_close()
    tracer.shutdown(1)
    return answer, logs, lines


def test_a_callers_correlation_id_goes_in_and_out(served):
    answer = served[0]
    assert answer.text == answer.headers["x-correlation-id"] == "mine"


def test_all_lines_of_a_request_share_its_context(served):
    logs = served[1]
    assert [line["message"] for line in logs[:3]] == ["in the handler", "part", "request"]
    assert {line["correlation_id"] for line in logs[:3]} == {"mine"}
    assert len({line["span_id"] for line in logs[:3]}) == 1
    assert "correlation_id" not in logs[-1]


def test_a_request_line_has_its_route(served):
    first = served[2][0]
    assert (first["route"], first["path"], first["status"]) == ("/users/{id}", "/users/7", 200)


def test_a_failure_in_the_middle_of_the_body_is_logged(served):
    assert served[2][-1]["exception"][0]["message"] == "late"


def test_no_secret_is_logged(served):
    assert "hunter2" not in json.dumps(served[1])


@pytest.mark.parametrize(
    ("name", "route", "status", "expected"),
    [
        ("requests", "/users/{id}", "200", 1),
        ("requests", "unmatched", "200", 20),
        ("errors", "unmatched", "500", 2),
    ],
)
def test_requests_are_counted_by_template(served, counted, name, route, status, expected):
    labels = {"method": "GET", "route": route, "status": status}
    assert counted.get_sample_value(f"web_{name}_total", labels) == expected
    assert counted.get_sample_value("web_requests_in_progress") == 0


def test_excluded_paths_and_own_buckets(registry):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"ok"]

    observed = WSGITelemetryMiddleware(
        app, registry=registry, exclude=["/health*"], buckets=[1.0, 2.0]
    )
    with capture_logs() as logs:
        for path in ("/healthz", "/orders"):
            body: Any = observed({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None)
            assert list(body) == [b"ok"]
            body.close()
    assert [line["path"] for line in logs] == ["/orders"]
    labels = {"method": "GET", "route": "unmatched"}
    name = "http_request_duration_seconds_bucket"
    assert registry.get_sample_value(name, {**labels, "le": "2.0"}) == 1
    assert registry.get_sample_value(name, {**labels, "le": "0.5"}) is None
