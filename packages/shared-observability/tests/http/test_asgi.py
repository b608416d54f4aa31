"""The ASGI middleware behind a real server."""

import asyncio
import contextlib
import json
import threading

import httpx
import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, Router, WebSocketRoute

from shared.observability import (
    TelemetryMiddleware,
    capture_logs,
    correlation_id,
    get_logger,
    setup_tracing,
)

log = get_logger("app")


ALONE = httpx.Limits(max_keepalive_connections=0)  # uvicorn closes a connection after an error


async def user(request):
    log.info("in the handler", user_id=request.path_params["id"])
    await asyncio.sleep(0)
    return JSONResponse({"correlation_id": correlation_id()})


async def boom(request):
    raise RuntimeError("token=hunter2")


async def stream(request):
    async def parts():
        for number in range(3):
            log.info("part", number=number)
            yield f"{number}"

    return StreamingResponse(parts())


async def unavailable(request):
    return PlainTextResponse("no", status_code=503)


async def socket(websocket):
    await websocket.accept()
    await websocket.close()


ROUTES = [
    Route("/users/{id:int}", user),
    Route("/boom", boom),
    Route("/stream", stream),
    Route("/unavailable", unavailable, methods=["POST"]),
    Mount("/shop/{shop}", routes=[Route("/items/{item}", user), Route("/{id}", user)]),
    Mount("/raw", app=Router([Route("/{id}", user)])),
    WebSocketRoute("/ws", socket),
]


@contextlib.contextmanager
def serving(registry, until):
    app = TelemetryMiddleware(Starlette(routes=ROUTES), registry=registry)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until("uvicorn to start", lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def counted():
    return CollectorRegistry()


@pytest.fixture(scope="module")
def served(counted, until, request_lines):
    """One of each request: the answers by name, all log lines, and the request lines."""
    tracer = setup_tracing(service_name="x", exporter_type="none")
    with (
        serving(counted, until) as base,
        capture_logs() as logs,
        httpx.Client(base_url=base, limits=ALONE) as client,
    ):
        answers = {
            "own id": client.get("/users/7?token=hunter2", headers={"X-Correlation-ID": "mine-1"}),
            "trace": client.get("/users/8", headers={"traceparent": f"00-{7:032x}-{8:016x}-01"}),
            "hostile id": client.get("/users/9", headers={"X-Correlation-ID": "a b" * 100}),
            "stream": client.get("/stream"),
            "failure": client.get("/boom"),
            "unavailable": client.post("/unavailable"),
            "wrong method": client.get("/unavailable"),
        }
        for number in range(50):
            client.get(f"/nowhere/{number}")
        client.request("BREW", "/users/7")
        client.get("/shop/north/items/apple")
        client.get("/raw/7")
        lines = request_lines(logs, 60)
    tracer.shutdown(1)
    return answers, logs, lines


def test_answers_are_the_applications(served):
    answers = served[0]
    assert answers["stream"].text == "012"
    assert answers["failure"].status_code == 500
    assert answers["unavailable"].status_code == 503
    assert answers["wrong method"].status_code == 405


def test_a_callers_correlation_id_goes_in_and_out(served):
    answers, logs, lines = served
    assert answers["own id"].headers["x-correlation-id"] == "mine-1"
    assert answers["own id"].json() == {"correlation_id": "mine-1"}
    assert logs[0]["message"] == "in the handler"
    assert logs[0]["correlation_id"] == lines[0]["correlation_id"] == "mine-1"


@pytest.mark.parametrize("name", ["trace", "hostile id"])
def test_a_missing_or_hostile_id_is_replaced(served, name):
    assert len(served[0][name].headers["x-correlation-id"]) == 32


def test_the_trace_of_the_caller_continues(served):
    _, logs, lines = served
    assert logs[0]["span_id"] == lines[0]["span_id"]
    assert lines[1]["trace_id"] == f"{7:032x}"


def test_a_request_line_has_its_route_and_duration(served):
    first = served[2][0]
    assert (first["method"], first["path"], first["route"]) == ("GET", "/users/7", "/users/{id}")
    assert first["status"] == 200
    assert first["duration_seconds"] > 0


def test_a_stream_belongs_to_its_request(served):
    parts = [line for line in served[1] if line["message"] == "part"]
    assert [line["number"] for line in parts] == [0, 1, 2]
    assert all("correlation_id" in line for line in parts)


def test_a_failure_is_an_error_with_its_exception(served):
    boomed = next(line for line in served[2] if line["path"] == "/boom")
    assert (boomed["level"], boomed["status"]) == ("error", 500)
    assert boomed["exception"][0]["type"] == "RuntimeError"


def test_no_secret_is_logged(served):
    assert "hunter2" not in json.dumps(served[1])


@pytest.mark.parametrize(
    ("name", "method", "route", "status", "expected"),
    [
        ("requests", "GET", "/users/{id}", 200, 3),
        ("requests", "GET", "unmatched", 404, 50),
        ("requests", "OTHER", "/users/{id}", 405, 1),
        ("requests", "GET", "/unavailable", 405, 1),
        ("requests", "GET", "/raw/{id}", 200, 1),
        ("requests", "GET", "/shop/{shop}/items/{item}", 200, None),  # it failed: no id
        ("errors", "GET", "/shop/{shop}/items/{item}", 500, 1),
        ("errors", "GET", "/boom", 500, 1),
        ("errors", "POST", "/unavailable", 503, 1),
        ("errors", "GET", "/users/{id}", 200, None),
    ],
)
def test_requests_are_counted_by_template(served, counted, name, method, route, status, expected):
    labels = {"method": method, "route": route, "status": str(status)}
    assert counted.get_sample_value(f"http_{name}_total", labels) == expected


def test_durations_and_nothing_in_progress(served, counted):
    duration = {"method": "GET", "route": "/users/{id}"}
    assert counted.get_sample_value("http_request_duration_seconds_count", duration) == 3
    assert counted.get_sample_value("http_requests_in_progress") == 0


def test_no_raw_path_is_a_label(served, counted):
    samples = [sample for metric in counted.collect() for sample in metric.samples]
    routes = {sample.labels["route"] for sample in samples if "route" in sample.labels}
    assert routes
    assert not any(character.isdigit() for route in routes for character in route)


async def test_many_at_once(registry, until, request_lines):
    limits = httpx.Limits(max_connections=20)
    with serving(registry, until) as base, capture_logs() as logs:
        async with httpx.AsyncClient(base_url=base, limits=limits, timeout=30) as client:
            headers = [{"x-correlation-id": f"id-{n}"} for n in range(200)]
            jobs = [client.get("/users/1", headers=header) for header in headers]
            answers = await asyncio.gather(*jobs)
        request_lines(logs, 200)
    for n, answer in enumerate(answers):
        assert answer.headers["x-correlation-id"] == answer.json()["correlation_id"] == f"id-{n}"
    assert len(logs) == 400


async def nothing(*args):
    return {}


async def test_a_client_that_goes_away_is_a_499(registry):
    async def slow(scope, receive, send):
        await asyncio.sleep(60)

    app = TelemetryMiddleware(slow, registry=registry, route=lambda scope: "/slow")
    scope = {"type": "http", "method": "GET", "path": "/slow", "headers": []}
    with capture_logs() as logs:
        task = asyncio.create_task(app(scope, nothing, nothing))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (logs[0]["status"], logs[0]["route"], logs[0]["level"]) == (499, "/slow", "info")
    assert registry.get_sample_value("http_requests_in_progress") == 0


async def test_a_route_function_that_fails_does_not_fail_the_request(registry):
    async def quick(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})

    app = TelemetryMiddleware(quick, registry=registry, route=lambda scope: scope["no such key"])
    scope = {"type": "http", "method": "GET", "path": "/x", "headers": []}
    with capture_logs() as logs:
        await app(scope, nothing, nothing)
    assert (logs[0]["status"], logs[0]["route"]) == (204, "unmatched")


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"type": "websocket", "headers": [(b"x-correlation-id", b"w")]}, "w"),
        ({"type": "lifespan"}, None),
    ],
)
async def test_other_scopes_pass_with_their_context(registry, scope, expected):
    seen = []

    async def other(scope, receive, send):
        seen.append(correlation_id())

    await TelemetryMiddleware(other, registry=registry)(scope, nothing, nothing)
    assert seen == [expected]
