"""Stores of every kind, in both colours."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
import textwrap
import time
import urllib.request

import pytest

from shared.core.testing import VirtualClock
from shared.storage import FileStore, MemoryStore, ObjectStore, Store


class Driver:
    """Calls a store plainly, or its asynchronous half on a loop: one suite for both."""

    def __init__(self, store, colour):
        self.store = store
        self.colour = colour
        self.loop = asyncio.new_event_loop()

    def __getattr__(self, name):
        if self.colour == "sync":
            return getattr(self.store, name)
        method = getattr(self.store, f"a{name}")

        def call(*args, **keywords):
            return self.loop.run_until_complete(self._whole(method(*args, **keywords)))

        return call

    async def _whole(self, result):
        if inspect.isasyncgen(result):
            return [item async for item in result]
        return await result

    def keys(self, *args, **keywords):
        return [stat.key for stat in self.list(*args, **keywords)]

    def close(self):
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@pytest.fixture
def clock():
    return VirtualClock(1_700_000_000.0)


class Server:
    """moto's S3 server in its own process: one request at a time, so that it decides one by one."""

    PROGRAM = """
        import logging, sys
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        app = DomainDispatcherApplication(create_backend_app)
        server = make_server("127.0.0.1", int(sys.argv[1]), app, threaded=False)
        print(server.server_port, flush=True)
        server.serve_forever()
    """

    def __init__(self):
        self.start()
        self.buckets = 0

    def start(self, port=0):
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(self.PROGRAM), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def bucket(self):
        self.buckets += 1
        name = f"bucket{self.buckets}"
        self.request(f"/{name}", "PUT")
        return name

    def request(self, path, method="GET"):
        asked = urllib.request.Request(self.url + path, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.read().decode()

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="session")
def s3_server():
    server = Server()
    yield server
    server.kill()


@pytest.fixture
def s3(s3_server, monkeypatch):
    """Makes stores below one new bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    bucket = s3_server.bucket()

    class Bucket:
        url = f"s3://{bucket}/pre/fix"
        name = bucket
        server = s3_server

        def store(self, **options):
            return ObjectStore(self.url, endpoint=s3_server.url, **options)

    return Bucket()


@pytest.fixture
def make_store(request, tmp_path):
    """A function that makes a store of a kind; the same place each time."""
    made = []

    def make(kind, **options):
        store: Store
        if kind == "memory":
            store = MemoryStore(**options)
        elif kind == "file":
            store = FileStore(tmp_path / "store", fsync=False, **options)
        else:
            store = request.getfixturevalue("s3").store(**options)
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture(params=["memory", "file", "object"])
def kind(request):
    return request.param


@pytest.fixture
def store(kind, make_store):
    return make_store(kind)


@pytest.fixture(params=["sync", "async"])
def driver(store, request):
    driver = Driver(store, request.param)
    yield driver
    driver.close()


@pytest.fixture
def run(tmp_path):
    """Start a program text in its own process."""
    started = []

    def run(text, *args):
        file = tmp_path / f"program{len(started)}.py"
        file.write_text(textwrap.dedent(text))
        process = subprocess.Popen(
            [sys.executable, "-u", str(file), *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def eventually():
    def eventually(what, true, within=60.0):
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, f"not within {within:g} s: {what}"
            time.sleep(0.01)

    return eventually
