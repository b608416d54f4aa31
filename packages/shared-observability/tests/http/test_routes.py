"""Route labels of Starlette and FastAPI: through included routers, mounts, hosts and middleware.

It also runs by itself, with other versions of both: `python test_routes.py`.
"""

import asyncio
import contextlib
import warnings

from fastapi import APIRouter, BackgroundTasks, FastAPI
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router

from shared.observability import TelemetryMiddleware, capture_logs


async def hello(request):
    return PlainTextResponse("hello")


async def forward(request, call_next):
    return await call_next(request)


def fastapi_app(**options):
    app, outer, inner = FastAPI(**options), APIRouter(prefix="/outer"), APIRouter(prefix="/inner")

    @app.get("/direct/{number}")
    async def direct(number: int):
        return number

    @inner.get("/items/{item}")
    @inner.post("/other/{other}")
    async def item(item: str = "", other: str = ""):
        return item

    outer.include_router(inner)
    outer.mount("/files", Starlette(routes=[Route("/{name}", hello)]))
    app.include_router(outer, prefix="/v1")
    app.include_router(inner, prefix="/{tenant}")
    sub = FastAPI()
    sub.include_router(inner, prefix="/deep")
    app.mount("/sub", sub)
    app.mount("/wrapped", CORSMiddleware(sub, allow_origins=["*"]))
    app.mount("/plain", hello_app)
    return app


async def hello_app(scope, receive, send):
    await PlainTextResponse("hello")(scope, receive, send)


FASTAPI = {
    "/direct/7": "/direct/{number}",
    "/v1/outer/inner/items/3": "/v1/outer/inner/items/{item}",
    "/v1/outer/inner/other/3": "/v1/outer/inner/other/{other}",  # 405
    "/acme/inner/items/3": "/{tenant}/inner/items/{item}",
    "/sub/deep/inner/items/3": "/sub/deep/inner/items/{item}",
    "/wrapped/deep/inner/items/3": "/wrapped/deep/inner/items/{item}",
    "/plain/anything/at/all": "/plain/{path}",
    "/sub/nowhere": "unmatched",
    "/nowhere": "unmatched",
    "/docs": "/docs",
}


async def get(app, path, headers=(), **scope):
    """Call an application and return its status."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    request = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"shop.example"), *headers], "server": ("shop.example", 80),
        "client": ("127.0.0.1", 1), "root_path": "", **scope,
    }  # fmt: skip
    await app(request, receive, send)
    return sent[0]["status"]


async def label(app, path, **scope):
    with capture_logs() as logs:
        await get(app, path, **scope)
    (line,) = [line for line in logs if line["logger"] == "http"]
    return line["route"]


def observed(app, **options):
    return TelemetryMiddleware(app, registry=CollectorRegistry(), **options)


async def test_fastapi_from_outside():
    app = observed(fastapi_app())
    assert {path: await label(app, path) for path in FASTAPI} == FASTAPI


async def test_fastapi_as_its_own_middleware():
    app = fastapi_app()
    app.add_middleware(TelemetryMiddleware, registry=CollectorRegistry())
    assert {path: await label(app, path) for path in FASTAPI} == FASTAPI


async def test_through_middleware_of_others():
    app = fastapi_app()
    app.add_middleware(BaseHTTPMiddleware, dispatch=forward)
    around = observed(CORSMiddleware(app, allow_origins=["*"]))
    assert {path: await label(around, path) for path in FASTAPI} == FASTAPI


async def test_a_mount_of_an_included_router():
    app = fastapi_app()
    served = await get(app, "/v1/files/a.txt") == 200  # older versions of FastAPI drop it
    expected = "/v1/files/{name}" if served else "unmatched"
    assert await label(observed(app), "/v1/files/a.txt") == expected


async def test_behind_a_root_path():
    with warnings.catch_warnings():  # newer versions want it from the server
        warnings.simplefilter("ignore")
        app = observed(fastapi_app(root_path="/api"))
    assert await label(app, "/api/direct/7") == "/direct/{number}"
    assert await label(app, "/v1/outer/inner/items/3") == "/v1/outer/inner/items/{item}"
    served = observed(fastapi_app())
    assert await label(served, "/api/sub/deep/inner/items/3", root_path="/api") == (
        "/sub/deep/inner/items/{item}"
    )


async def test_inside_a_mounted_application():
    inside = Middleware(TelemetryMiddleware, registry=CollectorRegistry())
    shop = Starlette(routes=[Route("/items/{item}", hello)], middleware=[inside])
    app = Starlette(routes=[Mount("/shop/{name}", shop)])
    assert await label(app, "/shop/north/items/3") == "/shop/{name}/items/{item}"


async def test_starlette_hosts_mounts_and_routers():
    routes = [
        Host("shop.example", Router([Route("/users/{user}", hello), Mount("/m", Router([Route("/{x}", hello)]))])),
        Route("/users/{other}", hello),
    ]  # fmt: skip
    for app in (observed(Starlette(routes=routes)), observed(Router(routes))):
        assert await label(app, "/users/7") == "/users/{user}"
        assert await label(app, "/m/7") == "/m/{x}"


async def test_a_background_task_is_no_part_of_the_request():
    registry, ticks = CollectorRegistry(), []
    app = FastAPI()

    async def later(fail):
        await asyncio.sleep(0)
        ticks.append(registry.get_sample_value("http_requests_in_progress"))
        if fail:
            raise RuntimeError("in the background")

    @app.get("/{fail}")
    async def start(fail: bool, tasks: BackgroundTasks):
        tasks.add_task(later, fail)
        return "started"

    around = TelemetryMiddleware(app, registry=registry, buckets=[0.5, 5])
    with capture_logs() as logs:
        assert await get(around, "/false") == 200
        with contextlib.suppress(RuntimeError):
            await get(around, "/true")
    labels = {"method": "GET", "route": "/{fail}", "status": "200"}
    assert registry.get_sample_value("http_requests_total", labels) == 2
    assert ticks == [0, 0]
    assert [line["status"] for line in logs if line["logger"] == "http"] == [200, 200]
    bounds = {
        sample.labels["le"]
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "http_request_duration_seconds_bucket"
    }
    assert bounds == {"0.5", "5.0", "+Inf"}


async def test_excluded_paths_keep_their_context_alone():
    registry = CollectorRegistry()
    app = fastapi_app()
    for exclude in (["/direct/*", "/docs"], lambda scope: scope["path"] != "/nowhere"):
        around = TelemetryMiddleware(app, registry=registry, exclude=exclude)
        with capture_logs() as logs:
            assert await get(around, "/direct/7") == 200
            assert await get(around, "/docs") == 200
            assert await get(around, "/nowhere") == 404
        assert [line["path"] for line in logs] == ["/nowhere"]
    labels = {"method": "GET", "route": "unmatched", "status": "404"}
    assert registry.get_sample_value("http_requests_total", labels) == 2


def test_exclude_is_checked():
    refused = ""
    try:
        observed(hello_app, exclude="/metrics")
    except TypeError as error:
        refused = str(error)
    assert "exclude must be a collection of paths or a function" in refused


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            result = test()
            if result is not None:
                asyncio.run(result)
