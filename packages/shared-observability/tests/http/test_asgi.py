"""The ASGI middleware behind a real server."""

import asyncio
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


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def base(registry, until):
    app = Starlette(routes=ROUTES)
    config = uvicorn.Config(
        TelemetryMiddleware(app, registry=registry),
        port=0,
        log_config=None,
        lifespan="on",
        ws="none",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until("uvicorn to start", lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def request_lines(logs, count, until):
    def found():
        lines = [line for line in logs if line["logger"] == "http"]
        return lines if len(lines) >= count else None

    return until(f"{count} request lines", found)


def test_asgi(base, registry, until):
    tracer = setup_tracing(service_name="x", exporter_type="none")
    with capture_logs() as logs, httpx.Client(base_url=base, limits=ALONE) as client:
        answer = client.get("/users/7?token=hunter2", headers={"X-Correlation-ID": "mine-1"})
        assert answer.headers["x-correlation-id"] == "mine-1"
        assert answer.json() == {"correlation_id": "mine-1"}
        fresh = client.get("/users/8", headers={"traceparent": f"00-{7:032x}-{8:016x}-01"})
        assert len(fresh.headers["x-correlation-id"]) == 32
        hostile = client.get("/users/9", headers={"X-Correlation-ID": "a b" * 100})
        assert len(hostile.headers["x-correlation-id"]) == 32
        assert client.get("/stream").text == "012"
        assert client.get("/boom").status_code == 500
        assert client.post("/unavailable").status_code == 503
        assert client.get("/unavailable").status_code == 405
        for number in range(50):
            client.get(f"/nowhere/{number}")
        client.request("BREW", "/users/7")
        client.get("/shop/north/items/apple")
        client.get("/raw/7")
        lines = request_lines(logs, 60, until)
    tracer.shutdown(1)
    first, handler = lines[0], logs[0]
    assert handler["message"] == "in the handler"
    assert handler["correlation_id"] == first["correlation_id"] == "mine-1"
    assert handler["span_id"] == first["span_id"]
    assert (first["method"], first["path"], first["route"]) == ("GET", "/users/7", "/users/{id}")
    assert first["status"] == 200
    assert first["duration_seconds"] > 0
    assert lines[1]["trace_id"] == f"{7:032x}"
    assert [line["number"] for line in logs if line["message"] == "part"] == [0, 1, 2]
    boomed = next(line for line in lines if line["path"] == "/boom")
    assert (boomed["level"], boomed["status"]) == ("error", 500)
    assert boomed["exception"][0]["type"] == "RuntimeError"
    assert "hunter2" not in json.dumps(logs)

    def count(name, method, route, status):
        labels = {"method": method, "route": route, "status": str(status)}
        return registry.get_sample_value(f"http_{name}_total", labels)

    assert count("requests", "GET", "/users/{id}", 200) == 3
    assert count("requests", "GET", "unmatched", 404) == 50
    assert count("requests", "OTHER", "/users/{id}", 405) == 1
    assert count("requests", "GET", "/unavailable", 405) == 1
    assert count("errors", "GET", "/boom", 500) == 1
    assert count("errors", "POST", "/unavailable", 503) == 1
    assert count("requests", "GET", "/shop/{shop}/items/{item}", 200) is None  # it failed: no id
    assert count("errors", "GET", "/shop/{shop}/items/{item}", 500) == 1
    assert count("requests", "GET", "/raw/{id}", 200) == 1
    duration = {"method": "GET", "route": "/users/{id}"}
    assert registry.get_sample_value("http_request_duration_seconds_count", duration) == 3
    assert registry.get_sample_value("http_requests_in_progress") == 0
    routes = {
        s.labels["route"] for m in registry.collect() for s in m.samples if "route" in s.labels
    }
    assert not any(character.isdigit() for route in routes for character in route)


async def test_asgi_many_at_once(base, until):
    limits = httpx.Limits(max_connections=20)
    with capture_logs() as logs:
        async with httpx.AsyncClient(base_url=base, limits=limits, timeout=30) as client:
            headers = [{"x-correlation-id": f"id-{n}"} for n in range(200)]
            jobs = [client.get("/users/1", headers=header) for header in headers]
            answers = await asyncio.gather(*jobs)
        request_lines(logs, 200, until)
    for n, answer in enumerate(answers):
        assert answer.headers["x-correlation-id"] == answer.json()["correlation_id"] == f"id-{n}"
    assert len(logs) == 400


async def nothing(*args):
    return {}


async def test_asgi_client_gone_and_other_scopes(registry):
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

    seen = []

    async def other(scope, receive, send):
        seen.append(correlation_id())

    app = TelemetryMiddleware(other, registry=registry)
    await app({"type": "websocket", "headers": [(b"x-correlation-id", b"w")]}, nothing, nothing)
    await app({"type": "lifespan"}, nothing, nothing)
    assert seen == ["w", None]
