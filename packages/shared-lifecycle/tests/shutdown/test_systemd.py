"""sd_notify to a real datagram socket."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

from shared.lifecycle import sd_notify

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such sockets there")


@pytest.fixture(params=["path", "abstract"])
def listener(request, tmp_path, monkeypatch):
    if request.param == "abstract" and sys.platform != "linux":
        pytest.skip("abstract sockets are Linux's")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        if request.param == "path":
            name = address = str(tmp_path / "notify")
        else:
            name, address = f"@shared-{os.getpid()}", f"\0shared-{os.getpid()}"
        sock.bind(address)
        sock.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield sock


def test_lines_arrive_as_one_datagram(listener):
    assert sd_notify("READY=1", "STATUS=fine")
    assert listener.recv(1000) == b"READY=1\nSTATUS=fine"


def test_nobody_listens(monkeypatch, tmp_path):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not sd_notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nothing"))
    assert not sd_notify("READY=1")
    with pytest.raises(ValueError, match="NAME=value"):
        sd_notify("READY")


def test_a_service_reports_ready_watchdog_and_stopping(listener, run):
    env = {**os.environ, "WATCHDOG_USEC": "100000"}
    program = run(
        """
        import itertools
        from shared.lifecycle import GracefulShutdown
        asked = itertools.count()
        shutdown = GracefulShutdown(drain_delay=0, watchdog=lambda: next(asked) < 2)
        shutdown.wait_for_signal()
        """,
        env=env,
    )
    assert listener.recv(1000) == b"READY=1"
    assert listener.recv(1000) == b"WATCHDOG=1"
    assert listener.recv(1000) == b"WATCHDOG=1"
    listener.settimeout(0.3)
    with pytest.raises(TimeoutError):
        listener.recv(1000)  # the watchdog says no: systemd would restart it
    listener.settimeout(20)
    program.signal(signal.SIGTERM)
    assert listener.recv(1000) == b"STOPPING=1"
    assert program.end() == 0
