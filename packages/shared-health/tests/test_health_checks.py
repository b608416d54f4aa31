"""The ready-made checks that need no store, the gauges and the command line."""

from __future__ import annotations

import http.server
import json
import sqlite3
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest

from shared.health import Health, HealthServer, HealthStatus, Heartbeat, checks
from shared.health.checks._host import read_memory

H, D, U = HealthStatus.HEALTHY, HealthStatus.DEGRADED, HealthStatus.UNHEALTHY


@pytest.fixture
def web():
    """A real HTTP server; the path is the status, /slow takes its time."""
    hits = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append((self.path, dict(self.headers)))
            if self.path == "/slow":
                time.sleep(0.2)
            status = int(self.path[1:]) if self.path[1:].isdigit() else 200
            self.send_response(status)
            self.send_header("Location", "/200")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", hits
    server.shutdown()
    thread.join()
    server.server_close()


def test_http(web, monkeypatch):
    url, hits = web
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert checks.http(f"{url}/200")().status is H
    assert checks.http(f"{url}/500")() == (U, "answered 500")
    assert checks.http(f"{url}/302")() == (U, "answered 302")
    assert checks.http(f"{url}/302", expect={302})().status is H
    assert checks.http(f"{url}/slow", slow_after=0.1)().status is D
    checks.http(f"{url}/200", headers={"X-Key": "k"})()
    assert hits[-1][1]["X-Key"] == "k"
    with pytest.raises(TimeoutError):
        checks.http(f"{url}/slow", timeout=0.05)()
    with pytest.raises(ValueError, match="must begin with http"):
        checks.http("file:///etc/passwd")


def test_disk(tmp_path):
    assert checks.disk(tmp_path, degraded_at=1, unhealthy_at=1)().status is not U
    used = checks.disk(tmp_path, degraded_at=1e-9, unhealthy_at=1)()
    assert used.status is D
    assert str(tmp_path) in used.message
    assert checks.disk(tmp_path, degraded_at=1e-9, unhealthy_at=1e-9)().status is U
    with pytest.raises(ValueError, match="degraded_at"):
        checks.disk(tmp_path, degraded_at=0.9, unhealthy_at=0.8)
    with pytest.raises(FileNotFoundError):
        checks.disk(tmp_path / "gone")()


def test_memory_of_this_machine():
    used, limit, _ = read_memory()
    assert 0 < used < limit
    assert checks.memory(degraded_at=1e-9, unhealthy_at=1)().status is D


MEMINFO = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/meminfo": MEMINFO}, (600 * 1024, 1000 * 1024)),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": "1000\n",
                "sys/fs/cgroup/memory.current": "950\n",
                "sys/fs/cgroup/memory.stat": "anon 5\ninactive_file 100\n",
            },
            (850, 1000),
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/app.slice\n",
                "sys/fs/cgroup/app.slice/memory.max": "max\n",
                "sys/fs/cgroup/app.slice/memory.current": "950\n",
            },
            (600 * 1024, 1000 * 1024),
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "4:cpu,memory:/pod\n0::/\n",
                "sys/fs/cgroup/memory/pod/memory.limit_in_bytes": "1000\n",
                "sys/fs/cgroup/memory/pod/memory.usage_in_bytes": "990\n",
                "sys/fs/cgroup/memory/pod/memory.stat": "total_inactive_file 90\n",
            },
            (900, 1000),
        ),
    ],
)
def test_memory_of_containers(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert read_memory(tmp_path)[:2] == expected


def test_ai_provider(clock):
    calls = []

    class Provider:
        takes = 0.1
        error: Exception | None = None

        def __call__(self):
            calls.append(1)
            clock.now += self.takes
            if self.error:
                raise self.error

    fn = Provider()
    check = checks.ai_provider(fn, min_interval=60, slow_after=2, clock=clock)
    assert check().status is H
    fn.error = ConnectionError("down")
    assert check().status is H
    assert len(calls) == 1, "asked once a minute at most"
    clock.now += 60
    assert check() == (D, "ConnectionError: down")
    for status, expected in ((429, D), (401, U), (403, U), (500, D)):
        error = RuntimeError("no")
        error.response = type("Response", (), {"status_code": status})()  # type: ignore[attr-defined]
        fn.error = error
        clock.now += 60
        assert check().status is expected
    fn.error, fn.takes = None, 3
    clock.now += 60
    assert check() == (D, "slow: 3.0 s")


async def test_ai_provider_async():
    async def fine():
        return ["a model"]

    async def refused():
        raise PermissionError("no")

    assert (await checks.ai_provider(fine)()).status is H
    assert (await checks.ai_provider(refused)()).status is D


def test_any_database_that_speaks_sql():
    connection = sqlite3.connect(":memory:")
    check = checks.postgres(connection)
    assert check() is None
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError):
        check()


def test_prometheus():
    registry = CollectorRegistry()
    health = Health("orders")
    health.add("db", lambda: None)
    health.add("cache", lambda: False, critical=False)
    health.add("worker", Heartbeat(30))
    health.instrument(prometheus=registry)
    health.refresh()
    text = generate_latest(registry).decode()
    health.stop()
    assert 'health_check_status{check="db",service="orders"} 1.0' in text
    assert 'health_check_status{check="cache",service="orders"} 0.0' in text
    assert 'health_check_status{check="worker",service="orders"} 1.0' in text
    assert 'health_check_consecutive_failures{check="cache",service="orders"} 1.0' in text
    assert 'health_check_latency_seconds{check="db",service="orders"}' in text
    assert 'health_check_last_success_age_seconds{check="cache"' not in text
    assert 'health_ready{service="orders"} 1.0' in text


def test_opentelemetry():
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    health = Health("orders")
    health.add("db", lambda: False)
    health.instrument(opentelemetry=provider)
    health.refresh()
    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    points: dict[str, Any] = {m.name: list(m.data.data_points) for m in metrics}
    values = {name: found[0].value for name, found in points.items() if found}
    health.stop()
    provider.shutdown()
    assert values["health_check_status"] == 0.0
    assert values["health_check_consecutive_failures"] == 1.0
    assert values["health_ready"] == 0.0


def probe(*arguments):
    command = [sys.executable, "-m", "shared.health", "probe", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_command_line(tmp_path):
    health = Health()
    with HealthServer(health, port=0, host="127.0.0.1") as server:
        assert probe(f"{server.url}/health/ready") == (
            0,
            f'{server.url}/health/ready: 200 {{"status": "pass"}}\n',
        )
        health.start_draining()
        assert probe(f"{server.url}/health/ready")[0] == 1
    code, said = probe(f"{server.url}/health/ready")
    assert (code, "refused" in said) == (1, True)
    file = tmp_path / "beat"
    assert probe("--file", str(file))[0] == 1
    heart = Heartbeat(30, file=str(file))
    heart.beat()
    assert probe("--file", str(file))[0] == 0
    assert list(tmp_path.iterdir()) == [file]
    assert probe("--file", str(file), "--max-age", "0.000001")[0] == 1
    beat = json.loads(file.read_text())
    file.write_text(json.dumps({**beat, "boot": "another"}))
    assert probe("--file", str(file))[0] == 1
    file.write_text("garbage")
    assert probe("--file", str(file)) == (1, f"{file}: not the file of a Heartbeat\n")
    assert probe()[0] == 2


def test_a_file_is_written_ten_times_an_age_at_most(tmp_path, clock):
    file = tmp_path / "beat"
    heart = Heartbeat(10, file=str(file), clock=clock)
    heart.beat()
    file.unlink()
    clock.now += 0.9
    heart.beat()
    assert not file.exists()
    clock.now += 0.1
    heart.beat()
    assert file.exists()
