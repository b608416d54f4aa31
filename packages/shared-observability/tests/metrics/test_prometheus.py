"""promtool and a real Prometheus accept what is served."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from shared.observability import (
    MetricsServer,
    TelemetryManager,
    counter,
    gauge,
    histogram,
    red,
)


def get(url, headers=None, context=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return answer.status, answer.headers, answer.read()


def debian(program):
    """The path of a program of Debian's package prometheus, installed by root if need be."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    tools = ["apt-get", *root[:1]]
    if not shutil.which(program) and all(shutil.which(tool) for tool in tools):
        for command in ("apt-get update", "apt-get install -y --no-install-recommends prometheus"):
            subprocess.run([*root, *command.split()], check=False, capture_output=True, timeout=110)
    path = shutil.which(program)
    if path is None:
        message = f"{program} (Debian package prometheus) is not installed"
        assert not os.environ.get("CI"), message
        pytest.skip(message)
    return path


@pytest.mark.system
def test_promtool_finds_nothing(registry):
    promtool = debian("promtool")
    counter("orders_total", "Orders placed.", ["shop"], registry=registry).labels("n").inc()
    gauge("queue_depth", "Jobs that wait.", registry=registry).set(3)
    histogram("wait_seconds", "Waiting time in seconds.", registry=registry).observe(1)
    red("load", registry=registry).observe(0.1)
    TelemetryManager(registry).get("pg").report_metric("rows", 3)
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        _, _, body = get(server.url)
    result = subprocess.run(
        [promtool, "check", "metrics"], input=body, capture_output=True, check=False, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


@pytest.mark.system
def test_a_real_prometheus_scrapes(registry, tmp_path):
    prometheus = debian("prometheus")
    orders = counter("orders_total", "Orders placed.", ["shop"], registry=registry)
    orders.labels("north").inc(41)
    histogram("wait_seconds", "Waiting time.", registry=registry).observe(0.3)
    with MetricsServer(0, "127.0.0.1", auth=("ada", "pw"), registry=registry) as server:
        (tmp_path / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: ours
    basic_auth: {{username: ada, password: pw}}
    static_configs: [{{targets: ["127.0.0.1:{server.port}"]}}]
""")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(
                [prometheus, "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                 f"--web.listen-address=127.0.0.1:{port}"],
                cwd=tmp_path, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            orders.labels("north").inc()

            def query(text):
                try:
                    url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(text)}"
                    found = json.loads(get(url)[2])["data"]["result"]
                except (OSError, ValueError):
                    return None
                return found[0]["value"][1] if found else None

            end = time.monotonic() + 60
            while query('orders_total{shop="north"}') != "42":
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < end, (tmp_path / "log").read_text()
                time.sleep(0.1)
            assert query('up{job="ours"}') == "1"
            assert query("wait_seconds_count") == "1"
        finally:
            process.terminate()
            process.wait(30)
