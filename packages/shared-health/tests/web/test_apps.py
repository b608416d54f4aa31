"""The probes as ASGI and WSGI applications, who may see what, and the page's text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from shared.health import Health
from shared.health._web.respond import _prefers_html

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m"


@pytest.fixture
def health():
    health = Health("orders & co", "1.0", token="t0ken")
    health.add("db", lambda: None)
    health.add(HOSTILE, hostile, critical=False)
    health.refresh()
    yield health
    health.stop()


def hostile():
    raise ConnectionError(f"{HOSTILE} postgresql://app:s3cr3t@db/x")


def client_of(app, client="127.0.0.1"):
    transport = httpx.ASGITransport(app=app, client=(client, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(
    ("client", "headers", "query", "details"),
    [
        ("127.0.0.1", {}, "?verbose=1", True),
        ("127.9.9.9", {}, "?verbose=true", True),
        ("::1", {}, "?verbose", True),
        ("::ffff:127.0.0.1", {}, "?verbose=1", True),
        ("127.0.0.1", {}, "", False),
        ("127.0.0.1", {}, "?verbose=0", False),
        ("10.0.0.1", {}, "?verbose=1", False),
        ("10.0.0.1", {"authorization": "Bearer t0ken"}, "?verbose=1", True),
        ("10.0.0.1", {"authorization": "Bearer t0ken"}, "", False),
        ("10.0.0.1", {"authorization": "Bearer wrong"}, "?verbose=1", False),
        ("10.0.0.1", {"authorization": "t0ken"}, "?verbose=1", False),
        ("127.0.0.1", {"x-forwarded-for": "10.0.0.1"}, "?verbose=1", False),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, "?verbose=1", False),
        ("testclient", {}, "?verbose=1", False),
    ],
)
async def test_who_may_see_details(health, client, headers, query, details):
    async with client_of(health.asgi_app(), client) as http:
        answer = await http.get(f"/health/ready{query}", headers=headers)
        page = await http.get(f"/health{query}", headers={**headers, "accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/health+json"
    if details:
        body = answer.json()
        assert body["serviceId"] == "orders & co"
        assert body["checks"]["db"][0]["status"] == "pass"
    else:
        assert answer.json() == {"status": "warn"}
    assert ("ConnectionError" in page.text) is details
    assert ("Last success" in page.text) is details
    assert "Degraded" in page.text
    assert "db" in page.text
    assert "s3cr3t" not in page.text + answer.text


class Reader(HTMLParser):
    """Collects the tags; a script that is not ours would be one too many."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


async def test_the_page_is_safe_and_whole(health):
    async with client_of(health.asgi_app()) as http:
        answer = await http.get("/health?verbose=1", headers={"accept": "text/html,*/*;q=0.8"})
    reader = Reader()
    reader.feed(answer.text)
    assert reader.tags.count("script") == reader.tags.count("style") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "\x1b" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "http://" not in answer.text, "nothing from elsewhere"
    assert "https://" not in answer.text


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.5", False),
        ("text/html;q=0, */*", False),
    ],
)
def test_browsers_get_html(accept, html):
    assert _prefers_html(accept) is html


async def test_in_front_of_an_application_and_mounted(health):
    async def hello(_):
        return PlainTextResponse("hello")

    app = Starlette(routes=[Route("/", hello)])
    async with client_of(health.asgi_app(app)) as http:
        assert (await http.get("/")).text == "hello"
        assert (await http.get("/nothing")).status_code == 404
        assert (await http.get("/health/live")).json() == {"status": "pass"}
    for routes in (
        [Mount("/health", app=health.asgi_app())],
        [Mount("/", app=health.asgi_app())],
        [Route("/health{rest:path}", health.asgi_app())],
    ):
        async with client_of(Starlette(routes=routes)) as http:
            assert (await http.get("/health/live")).json() == {"status": "pass"}
    async with client_of(Starlette(routes=[Mount("/internal", app=health.asgi_app())])) as http:
        assert (await http.get("/internal/health/ready")).json() == {"status": "warn"}
        assert (await http.get("/internal/x")).status_code == 404


async def test_a_head_request(health):
    async with client_of(health.asgi_app()) as http:
        answer = await http.head("/health/ready")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def call(app, path, **more):
    """Call a WSGI application as a server would; status, headers and body."""
    environ = {
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "REMOTE_ADDR": "127.0.0.1",
        "QUERY_STRING": "",
        **more,
    }
    setup_testing_defaults(environ)
    seen: list[Any] = []

    def start_response(*given):
        seen.append(given)

    checked: Any = validator(app)
    body = checked(environ, start_response)
    content = b"".join(body)
    body.close()
    return seen[0][0], dict(seen[0][1]), content


def test_wsgi_answers_a_probe(health):
    status, headers, body = call(health.wsgi_app(), "/health/ready")
    assert (status, json.loads(body)) == ("200 OK", {"status": "warn"})
    assert headers["Content-Type"] == "application/health+json"


def test_wsgi_answers_head_without_a_body(health):
    assert call(health.wsgi_app(), "/health/ready", REQUEST_METHOD="HEAD")[2] == b""


def test_wsgi_shows_details_to_loopback(health):
    body = call(health.wsgi_app(), "/health/ready", QUERY_STRING="verbose=1")[2]
    assert json.loads(body)["checks"]["db"][0]["status"] == "pass"


def test_wsgi_below_a_mount_point(health):
    assert call(health.wsgi_app(), "/live", SCRIPT_NAME="/health")[0] == "200 OK"


def test_wsgi_passes_other_paths_on(health):
    def inner(_environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"inner"]

    assert call(health.wsgi_app(), "/other")[0] == "404 Not Found"
    assert call(health.wsgi_app(inner), "/other")[2] == b"inner"


def test_wsgi_fails_readiness_while_draining(health):
    health.start_draining()
    assert call(health.wsgi_app(), "/health/ready")[0] == "503 Service Unavailable"


async def test_details_in_full(health, clock):
    health = Health("orders", clock=clock)
    health.add("slow", lambda: clock.advance(0.25), timeout=1)
    health.refresh()
    clock.advance(60)
    health.start_draining(5)
    clock.advance(2)
    async with client_of(health.asgi_app()) as http:
        body = (await http.get("/health?verbose=1")).json()
        page = (await http.get("/health", headers={"accept": "text/html"})).text
    health.stop()
    assert body["state"] == body["output"] == "draining"
    assert body["drainSecondsLeft"] == 3
    entry = body["checks"]["slow"][0]
    assert (entry["observedValue"], entry["observedUnit"]) == (250.0, "ms")
    assert entry["time"] == entry["lastSuccess"]
    assert "3 s left" in page
