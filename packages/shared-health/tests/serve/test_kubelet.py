"""A simulated kubelet, with the rules of the Kubernetes documentation, on real processes.

Only the cluster is simulated: probes are HTTP requests, restarts are SIGTERM and SIGKILL.
Periods of seconds are tenths here; time limits are as long as the real ones, since a busy
machine must not break them. The shutdown is shared.lifecycle's, in the service under test.
https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
"""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

pytest.importorskip("shared.lifecycle", reason="the service under test also uses shared-lifecycle")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="a pod is signalled as on Linux")

SERVICE = """
import asyncio, contextlib, socket, sys, time
from pathlib import Path
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from shared.health import EventLoopLag, Health, HealthServer
from shared.lifecycle import GracefulShutdown

folder = Path(sys.argv[1])
born = time.monotonic()
health = Health("orders")
shutdown = GracefulShutdown(drain_delay=1.2, hook_timeout=5, total_timeout=15)
shutdown.on_drain(health.start_draining)

@health.check("migrated", groups=("startup",), interval=0.05)
def migrated():
    return time.monotonic() - born > 0.8

@health.check("database", interval=0.05, fail_after=2)
def database():
    if (folder / "down").exists():
        raise ConnectionRefusedError("database")

async def work(request):
    await asyncio.sleep(0.05)
    return PlainTextResponse("done")

async def deadlock(request):
    time.sleep(600)

@shutdown.on_shutdown(priority=-1)
def stop_probes():
    server.stop()

@contextlib.asynccontextmanager
async def lifespan(app):
    health.add("loop", EventLoopLag(1.0))
    async with shutdown.lifespan(app):
        yield

app = Starlette(routes=[Route("/", work), Route("/deadlock", deadlock)], lifespan=lifespan)
server = HealthServer(health, port=0, host="127.0.0.1").start_in_background()
# A pod has an address, and so every port, for itself. Here the system gives free ones.
sock = socket.create_server(("127.0.0.1", 0))
print(server.port, sock.getsockname()[1], flush=True)
config = uvicorn.Config(app, access_log=False, log_level="warning")
uvicorn.Server(config).run(sockets=[sock])
"""


@dataclass
class Probe:
    """A probe of the manifest, and its counting: thresholds are of results in a row."""

    path: str
    period: float = 0.1
    timeout: float = 1.0
    failure_threshold: int = 3
    success_threshold: int = 1
    successes: int = 0
    failures: int = 0
    due: float = 0.0

    def run(self, port):
        """True or False when a threshold is reached, else None."""
        try:
            url = f"http://127.0.0.1:{port}{self.path}"
            with urllib.request.urlopen(url, timeout=self.timeout) as answer:
                good = 200 <= answer.status < 400
        except urllib.error.HTTPError as error:
            error.close()
            good = False
        except (OSError, http.client.HTTPException):
            good = False
        self.successes = self.successes + 1 if good else 0
        self.failures = 0 if good else self.failures + 1
        if self.successes >= self.success_threshold:
            return True
        return False if self.failures >= self.failure_threshold else None


class Pod:
    """A container that the kubelet keeps running, probes and restarts."""

    PROPAGATION = 0.2  # a load balancer hears of an endpoint a little later

    def __init__(self, folder, file, grace):
        self.folder, self.file, self.grace = folder, file, grace
        folder.mkdir()
        self.restarts = 0
        self.ready = False
        self.terminating = False
        self.exit_codes = []
        self.errors = ""
        self.history = []
        self.thread = threading.Thread(target=self._kubelet)
        self._start()
        self.thread.start()

    def _start(self):
        command = [sys.executable, self.file, self.folder]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
        assert self.process.stdout
        ports = self.process.stdout.readline().split()
        self.probe_port, self.port = map(int, ports or (0, 0))  # none: it died, and is restarted
        self.startup = Probe("/health/startup", failure_threshold=100)
        self.liveness = Probe("/health/live", failure_threshold=5)
        self.readiness = Probe("/health/ready", failure_threshold=2)
        self.started = False

    def _kubelet(self):
        while not self.terminating:
            time.sleep(0.02)
            if self.process.poll() is not None:
                self.history.append("died")
                self._restart()
                continue
            now = time.monotonic()
            # "All other probes are disabled until the startup probe succeeds."
            for probe in (self.liveness, self.readiness) if self.started else (self.startup,):
                if now < probe.due:
                    continue
                probe.due = now + probe.period
                verdict = probe.run(self.probe_port)
                if verdict is None or self.terminating:
                    continue
                if probe is self.startup and verdict:
                    self.started = True
                    self.history.append("started")
                elif probe is self.readiness and verdict != self.ready:
                    self.ready = verdict
                    self.history.append("ready" if verdict else "not ready")
                elif probe is self.liveness and not verdict:
                    self.history.append("killed by liveness")
                    self._restart()
                    break

    def _restart(self):
        self.ready = False
        self._end()
        self.restarts += 1
        self._start()

    def _end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            _, errors = self.process.communicate(timeout=self.grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, errors = self.process.communicate()
        self.exit_codes.append(self.process.returncode)
        self.errors += errors

    def delete(self, balancer):
        """SIGTERM at once; the endpoint goes from the balancers at the same time, not before."""
        self.terminating = True
        self.thread.join()  # or it might see the process die and restart it
        removal = threading.Timer(self.PROPAGATION, balancer.remove, (self,))
        removal.start()
        self._end()
        removal.join()


class Balancer:
    """Sends requests to the pods that it believes to be ready, from several clients at once."""

    def __init__(self):
        self.pods: list[Pod] = []
        self.turn = itertools.count()
        self.results = []
        self.stop = threading.Event()
        self.threads = []

    def remove(self, pod):
        self.pods = [other for other in self.pods if other is not pod]

    def _client(self):
        while not self.stop.is_set():
            pods = [pod for pod in self.pods if pod.ready]
            if not pods:
                time.sleep(0.01)
                continue
            pod = pods[next(self.turn) % len(pods)]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{pod.port}/", timeout=10) as answer:
                    self.results.append(answer.read().decode())
            except (OSError, http.client.HTTPException) as error:
                self.results.append(repr(error))

    def __enter__(self):
        self.threads = [threading.Thread(target=self._client) for _ in range(4)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def launch(tmp_path):
    file = tmp_path / "service.py"
    file.write_text(SERVICE)
    pods: list[Pod] = []

    def launch(grace=100.0):
        pods.append(Pod(tmp_path / f"pod{len(pods)}", str(file), grace))
        return pods[-1]

    yield launch
    for pod in pods:
        if not pod.terminating:
            pod.delete(Balancer())


def test_start_up_outage_and_deadlock(launch, eventually):
    pod = launch(grace=1.0)  # what is deadlocked ends by SIGKILL
    eventually("ready", lambda: pod.ready, 60)
    assert pod.history == ["started", "ready"]

    (pod.folder / "down").touch()
    eventually("not ready", lambda: not pod.ready)
    time.sleep(1.0)  # long enough for liveness to kill it twice, if it were asked about this
    assert pod.history == ["started", "ready", "not ready"]
    (pod.folder / "down").unlink()
    eventually("ready", lambda: pod.ready)
    assert pod.restarts == 0

    with pytest.raises(OSError, match="timed out"):
        urllib.request.urlopen(f"http://127.0.0.1:{pod.port}/deadlock", timeout=0.5)
    eventually("a restart", lambda: pod.restarts == 1, 60)
    eventually("ready", lambda: pod.ready, 60)
    assert pod.history[4:] == ["not ready", "killed by liveness", "started", "ready"]


@pytest.mark.timeout(300)
def test_no_request_fails_in_a_rolling_restart(launch, eventually):
    with Balancer() as balancer:
        balancer.pods = [launch(), launch()]
        eventually("all ready", lambda: all(pod.ready for pod in balancer.pods), 60)
        for old in list(balancer.pods):
            new = launch()
            eventually("the new one is ready", lambda new=new: new.ready, 60)
            balancer.pods = [*balancer.pods, new]
            before = len(balancer.results)
            eventually("20 more answers", lambda before=before: len(balancer.results) > before + 20)
            old.delete(balancer)
            assert old.exit_codes == [0], old.errors
            assert old.restarts == 0
    assert set(balancer.results) == {"done"}
    assert len(balancer.results) > 100
