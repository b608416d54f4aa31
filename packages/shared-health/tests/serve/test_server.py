"""The probe server over real sockets."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from shared.health import Health, HealthCheck, HealthServer, HealthStatus, Heartbeat


def count_descriptors():
    """Open files of this process; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.is_dir() else 0  # noqa: PTH208 - only the count


@pytest.fixture
def serve():
    servers = []

    def serve(health, **settings):
        server = HealthServer(health, port=0, host="127.0.0.1", **settings)
        servers.append(server)
        return server.start_in_background()

    yield serve
    for server in servers:
        server.stop()


def test_a_hung_check_delays_no_probe(serve, get, gate, eventually):
    health = Health("orders")
    health.add("db", lambda: gate.wait(60), timeout=0.2)
    server = serve(health)

    def probe(_):
        begin = time.monotonic()
        return get(f"{server.url}/health/live").status, time.monotonic() - begin

    with concurrent.futures.ThreadPoolExecutor(50) as clients:
        answers = list(clients.map(probe, range(50)))
    assert {status for status, _ in answers} == {200}
    ready = f"{server.url}/health/ready"
    eventually("the check times out", lambda: b"timeout" in get(f"{ready}?verbose=1").body)
    assert get(ready).status == 503
    assert get(ready).json() == {"status": "fail"}


def test_a_class_is_enough(serve, get, eventually):
    class Mine(HealthCheck):
        interval = 0.02
        verdict = HealthStatus.HEALTHY

        def check(self):
            return self.verdict

    mine = Mine()
    server = serve(mine)
    assert get(f"{server.url}/health").status == 200
    mine.verdict = HealthStatus.UNHEALTHY
    eventually("not ready", lambda: get(f"{server.url}/health/ready").status == 503)
    assert get(f"{server.url}/health/live").status == 200
    mine.verdict = HealthStatus.DEGRADED
    eventually("degraded", lambda: get(f"{server.url}/health").json() == {"status": "warn"})
    assert get(f"{server.url}/health").status == 200


def test_the_caller_learns_that_the_port_is_taken(serve):
    server = serve(Health())
    second = HealthServer(Health(), port=server.port, host="127.0.0.1")
    with pytest.raises(OSError, match=f"127.0.0.1:{server.port} is already taken"):
        second.start_in_background()
    second.stop()


def test_head_has_the_length_and_no_body(serve, get):
    server = serve(Health())
    answer = get(f"{server.url}/health/ready", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(get(f"{server.url}/health/ready").body)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/health+json"


def test_other_methods_and_paths(serve, get):
    server = serve(Health())
    assert get(f"{server.url}/health", method="POST").status == 405
    assert get(f"{server.url}/health", method="POST").headers["allow"] == "GET, HEAD"
    assert get(f"{server.url}/health/nothing").status == 404
    assert get(f"{server.url}/").status == 404


def test_more_paths_on_the_same_port(serve, get):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 207, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    extra = {
        "/metrics": lambda: ("text/plain; version=0.0.4", "up 1\n"),
        "/version": lambda: "1.4.0",
        "/app": app,
    }
    server = serve(Health(), extra=extra)
    metrics = get(f"{server.url}/metrics")
    assert (metrics.status, metrics.body) == (200, b"up 1\n")
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4"
    assert get(f"{server.url}/version").body == b"1.4.0"
    assert get(f"{server.url}/app").status == 207
    assert get(f"{server.url}/metrics", method="POST").status == 405
    assert get(f"{server.url}/health/live").status == 200


def test_half_open_connections_are_bounded_and_a_probe_gets_in(serve, get):
    server = serve(Health(), max_connections=32)
    descriptors = count_descriptors()
    clients = []
    try:
        for i in range(600):
            client = socket.create_connection(("127.0.0.1", server.port))
            if i % 2:
                client.sendall(b"GET /health HTTP/1.1\r\nX: ")
            clients.append(client)
        for _ in range(20):
            assert get(f"{server.url}/health/live").status == 200
        # Both ends are in this process: 600 of ours, 32 of the server.
        assert count_descriptors() - descriptors <= 600 + 32 + 8
    finally:
        for client in clients:
            client.close()


def test_a_client_that_sends_nothing_is_closed(serve):
    server = serve(Health(), request_timeout=0.1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"GET /health")
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_many_starts_and_stops_leave_nothing(get):
    before = threading.active_count()
    health = Health()
    health.add("fine", lambda: None)
    descriptors = None
    for i in range(20):  # rounds of five at once: a stop takes uvicorn 0.1 s
        servers = [HealthServer(health, port=0, host="127.0.0.1") for _ in range(5)]
        for server in servers:
            server.start_in_background()
        assert get(f"{servers[0].url}/health/ready").status == 200
        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            list(pool.map(HealthServer.stop, servers))
        servers[0].stop()
        if i == 2:
            descriptors = count_descriptors()
    assert threading.active_count() == before
    assert count_descriptors() <= descriptors


def test_heartbeat_in_live(serve, get, clock):
    heart = Heartbeat(30, clock=clock)
    health = Health()
    health.add("worker", heart, groups=("live",))
    server = serve(health)
    assert get(f"{server.url}/health/live").status == 200
    clock.advance(31)
    assert get(f"{server.url}/health/live").status == 503
    heart.beat()
    assert get(f"{server.url}/health/live").status == 200


def test_draining_fails_ready_alone(serve, get):
    health = Health()
    server = serve(health)
    health.start_draining(5)
    assert get(f"{server.url}/health/ready").status == 503
    assert get(f"{server.url}/health/live").status == 200
    assert get(f"{server.url}/health/startup").status == 200
    assert get(f"{server.url}/health/ready?verbose=1").json()["output"] == "draining"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_child_does_not_keep_the_port(python):
    assert (
        python("""
        import os, socket
        from urllib.request import urlopen
        from shared.health import Health, HealthServer

        server = HealthServer(Health(), port=0, host="127.0.0.1").start_in_background()
        print(urlopen(f"{server.url}/health/live").status, flush=True)
        end, begin = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(begin)
            os.read(end, 1)  # until the parent is done
            os._exit(0)
        server.stop()
        try:
            socket.create_connection(("127.0.0.1", server.port))
        except ConnectionRefusedError:
            print("refused")
        """)
        == "200\nrefused\n"
    )


def test_a_server_can_be_started_again(serve, get):
    server = serve(Health())
    server.stop()
    server.start_in_background()
    assert get(f"{server.url}/health/live").status == 200


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), None, "5"])
def test_a_wrong_request_timeout_is_refused(bad):
    with pytest.raises((ValueError, TypeError), match="request_timeout must be a finite number"):
        HealthServer(Health(), port=0, request_timeout=bad)


@pytest.mark.parametrize("time", [float("inf"), 0, 1e300, timedelta(seconds=5)])
def test_a_stop_with_any_time(time):
    server = HealthServer(Health(), port=0, host="127.0.0.1", request_timeout=timedelta(seconds=9))  # type: ignore[arg-type]
    server.start_in_background().stop(time)
    with pytest.raises((ValueError, TypeError), match="timeout must be a number of at least 0"):
        server.stop(-1)


def test_an_async_function_as_another_path(serve, get):
    async def text():
        return "from a coroutine"

    server = serve(Health(), extra={"/text": text})
    assert get(f"{server.url}/text").body == b"from a coroutine"


def test_another_path_that_could_not_answer_is_refused():
    def steps():
        yield b""

    for handler in (steps, 3, lambda one, two: one):
        with pytest.raises(TypeError, match=r"extra\['/x'\] must be"):
            HealthServer(Health(), port=0, extra={"/x": handler})  # type: ignore[dict-item]
