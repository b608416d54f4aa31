"""The probe server's own transport does what asyncio's would."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import struct
import threading
from typing import Any

import pytest

from shared.health import Health, HealthServer

BIG = os.urandom(1 << 20) * 12  # more than the buffers of both ends hold
CLOSING = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def stream(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for begin in range(0, len(BIG), 100_000):
        part = BIG[begin : begin + 100_000]
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def server():
    extra: dict[str, Any] = {"/big": lambda: ("application/octet-stream", BIG), "/stream": stream}
    with HealthServer(Health(), port=0, host="127.0.0.1", extra=extra) as server:
        yield server


@pytest.fixture
def connect(server):
    clients = []

    def connect():
        clients.append(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def read_all(client):
    return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("path", ["/big", "/stream"])
def test_a_slow_reader_gets_all_of_a_large_answer(server, get, path):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.request("GET", path)
    for _ in range(5):  # meanwhile the others are served
        assert get(f"{server.url}/health/live").status == 200
    assert client.getresponse().read() == BIG
    client.close()


def test_a_request_in_pieces_and_several_at_once(connect):
    client = connect()
    request = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    for i in range(len(request)):
        client.sendall(request[i : i + 1])
    assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
    client.sendall(request * 3 + b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answers = read_all(client)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.rpartition(b"HTTP/1.1 ")[2].startswith(b"404")


def test_what_is_no_http_is_refused(connect):
    client = connect()
    client.sendall(b"\x16\x03\x01 hello\r\n\r\n")
    assert read_all(client).startswith(b"HTTP/1.1 400")


def test_a_client_that_goes_away_is_forgotten(server, connect, get, eventually):
    connections = server._server.server_state.connections
    for _ in range(5):
        client = connect()
        client.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(10)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # resets
    for _ in range(5):
        connect().shutdown(socket.SHUT_WR)  # says nothing, and never will
    eventually("no connection is left", lambda: not connections)
    assert get(f"{server.url}/health/live").status == 200


def test_the_default_timeout_of_sockets_delays_no_probe(connect, get, server):
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(60)
    try:
        for _ in range(3):
            connect()  # silent
        assert get(f"{server.url}/health/live").status == 200
    finally:
        socket.setdefaulttimeout(before)


def test_a_request_that_is_there_is_answered_without_a_wait_for_it(server, connect, monkeypatch):
    watched = []
    add_reader = asyncio.SelectorEventLoop.add_reader

    def watch(loop, *args):
        watched.append(args)
        return add_reader(loop, *args)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_reader", watch)
    gate = threading.Event()
    server._server._loop.call_soon_threadsafe(
        gate.wait
    )  # the loop stands until the request is there
    client = connect()
    client.sendall(CLOSING)
    gate.set()
    assert read_all(client).startswith(b"HTTP/1.1 200 OK")
    assert watched == []


@pytest.mark.skipif(os.name != "posix", reason="limits descriptors as POSIX does")
def test_out_of_descriptors_it_waits_and_recovers(python):
    assert (
        python("""
        import os, resource, socket, time
        from shared.health import Health, HealthServer

        server = HealthServer(Health(), port=0, host="127.0.0.1").start_in_background()
        client = socket.socket()
        client.settimeout(50)
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        taken = []
        try:
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /health/live HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
        begin = time.process_time()
        time.sleep(0.5)
        print(time.process_time() - begin < 0.4)  # it does not spin
        for descriptor in taken:
            os.close(descriptor)
        print(client.recv(15).decode())
        server.stop()
        """)
        == "True\nHTTP/1.1 200 OK\n"
    )
