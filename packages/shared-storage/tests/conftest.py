"""Stores of every kind, in both colours."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
import textwrap
import time

import pytest

from shared.core.testing import VirtualClock
from shared.storage import FileStore, MemoryStore, Store


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


@pytest.fixture(params=["memory", "file"])
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
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def eventually():
    def eventually(what, true, within=60.0):
        end = time.monotonic() + within
        while not true():
            assert time.monotonic() < end, f"not within {within:g} s: {what}"
            time.sleep(0.01)

    return eventually
