"""A probe that comes before the first result of a check waits for it, but not for long."""

from __future__ import annotations

import asyncio
import threading
from wsgiref.util import setup_testing_defaults

import httpx
import pytest

from shared.health import Health, Heartbeat
from shared.health._run import runner


@pytest.fixture
def health(monkeypatch):
    monkeypatch.setattr(runner, "FIRST_RESULTS", 60)  # for a busy machine
    health = Health("orders")
    yield health
    health.stop()


def client_of(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def test_the_first_probe_sees_the_first_result(health):
    answered = threading.Event()

    def slow():
        answered.wait(0.1)  # longer than a request takes
        return True

    health.add("slow", slow)
    async with client_of(health.asgi_app()) as http:
        answers = await asyncio.gather(*(http.get("/health/ready") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}


def test_the_first_probe_of_wsgi_too(health):
    health.add("quick", lambda: True)
    environ: dict[str, object] = {}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = "/health/ready"
    seen = []
    health.wsgi_app()(environ, lambda status, headers: seen.append(status))
    assert seen == ["200 OK"]


async def test_it_waits_for_no_other_group(health, gate):
    health.add("hung", lambda: gate.wait(60), timeout=3600)
    health.add("later", lambda: True, groups=("later",), initial_delay=3600)
    health.add("worker", Heartbeat(30))
    async with client_of(health.asgi_app()) as http:
        codes = [(await http.get(f"/health/{g}")).status_code for g in ("live", "later", "none")]
    assert codes == [200, 503, 404]
    assert health.awaits_first("ready")


async def test_it_is_bounded(health, gate, monkeypatch):
    monkeypatch.setattr(runner, "FIRST_RESULTS", 0.05)
    health.add("hung", lambda: gate.wait(60), timeout=3600)
    async with client_of(health.asgi_app()) as http:
        assert (await http.get("/health/ready")).status_code == 503
    assert not health.awaits_first("ready")


def test_nothing_is_awaited_before_the_start(health):
    health.add("x", lambda: True)
    assert not health.awaits_first()
    health.start()
    health.refresh()
    assert not health.awaits_first()
