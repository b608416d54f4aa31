# mypy: disable-error-code="arg-type"
"""Metrics: get-or-create, bounds, names, RED; the server; a real Prometheus scrapes it."""

import asyncio
import base64
import gc
import inspect
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import prometheus_client
import pytest
import trustme
from prometheus_client import CollectorRegistry

from shared.observability import (
    EventLevel,
    MetricsServer,
    MetricType,
    TelemetryManager,
    capture_logs,
    counter,
    gauge,
    get_provider_telemetry,
    histogram,
    red,
)


@pytest.fixture
def registry():
    return CollectorRegistry()


def test_the_same_metric_is_the_same_object(registry):
    made = [counter("orders_total", "Orders.", ["shop"], registry=registry) for _ in range(3)]
    assert made[0] is made[1] is made[2]
    assert counter("orders", labels=["shop"], registry=registry) is made[0]
    made[0].labels("north").inc()
    made[0].labels(shop="north").inc(2)
    assert registry.get_sample_value("orders_total", {"shop": "north"}) == 3
    assert isinstance(made[0], prometheus_client.Counter)
    gauge("depth", registry=registry).set(4)
    histogram("wait_seconds", registry=registry, buckets=[1, 2]).observe(1.5)
    assert registry.get_sample_value("wait_seconds_bucket", {"le": "2.0"}) == 1


def test_clashes_name_both(registry):
    counter("orders_total", labels=["shop"], registry=registry)
    for make in (
        lambda: gauge("orders_total", registry=registry),
        lambda: histogram("orders", registry=registry),
        lambda: counter("orders", labels=["place"], registry=registry),
    ):
        with pytest.raises(ValueError, match=r"orders.*clashes with the registered counter.*shop"):
            make()
    prometheus_client.Gauge("foreign", "x", registry=registry)
    with pytest.raises(ValueError, match=r"foreign.*clashes with the registered gauge"):
        counter("foreign", registry=registry)
    histogram("h_seconds", registry=registry, buckets=[1, 2])
    with pytest.raises(ValueError, match="buckets"):
        histogram("h_seconds", registry=registry, buckets=[1, 3])


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "ä", 5, "a\n"])
def test_bad_names_are_named(registry, name):
    for make in (counter, gauge, histogram):
        with pytest.raises(ValueError, match="name"):
            make(name, registry=registry)
    with pytest.raises(ValueError, match="labels"):
        counter("fine", labels=[name], registry=registry)


def test_bad_arguments_are_named(registry):
    with pytest.raises(TypeError, match="labels"):
        counter("a", labels="shop", registry=registry)
    with pytest.raises(ValueError, match="max_series"):
        counter("a", max_series=0, registry=registry)
    with pytest.raises(ValueError, match="__x"):
        counter("a", labels=["__x"], registry=registry)
    metric = counter("a", labels=["x", "y"], registry=registry)
    for call in (
        lambda: metric.labels("1"),
        lambda: metric.labels(x=1),
        lambda: metric.labels(1, y=2),
    ):
        with pytest.raises(ValueError, match="labels are x, y"):
            call()
    with pytest.raises(ValueError, match="negative"):
        metric.labels(1, 2).inc(-1)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (histogram, "latency"),
        (histogram, "wait_ms"),
        (gauge, "size_mb"),
        (counter, "time_minutes_total"),
    ],
)
def test_a_missing_base_unit_is_a_warning(registry, make, name):
    with pytest.warns(UserWarning, match="base unit"):
        make(name, registry=registry)


def test_series_are_bounded(registry):
    metric = counter("users_total", labels=["user"], max_series=1000, registry=registry)
    for number in range(100_000):
        metric.labels(str(number)).inc()
    text = prometheus_client.generate_latest(registry).decode()
    series = [line for line in text.splitlines() if line.startswith("users_total{")]
    assert len(series) == 1001
    assert 'users_total{user="__overflow__"} 99000.0' in series
    metric.labels("5").inc()
    assert registry.get_sample_value("users_total", {"user": "5"}) == 2
    metric.remove("5")
    metric.labels("fresh").inc()
    assert registry.get_sample_value("users_total", {"user": "fresh"}) == 1
    metric.clear()
    metric.labels("5").inc()
    assert registry.get_sample_value("users_total", {"user": "5"}) == 1


def test_series_are_bounded_under_threads(registry):
    metric = gauge("depth", labels=["a", "b"], max_series=10, registry=registry)

    def fill(t):
        for number in range(100):
            metric.labels(a=t, b=number).inc()

    threads = [threading.Thread(target=fill, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    samples = [s for m in registry.collect() for s in m.samples]
    assert len(samples) == 11
    assert sum(s.value for s in samples) == 800


async def test_red_counts_every_kind(registry):
    @red("job", registry=registry)
    def plain(fail=False):
        if fail:
            raise ValueError("no")

    @red("job", registry=registry)
    async def coroutine():
        await asyncio.sleep(0)
        return 1

    @red("job", registry=registry)
    def generator():
        got = yield 1
        yield got
        return 3

    @red("job", registry=registry)
    async def agenerator():
        yield 1
        yield 2

    plain()
    with pytest.raises(ValueError, match=r"^no$"):
        plain(fail=True)
    assert await coroutine() == 1
    running = generator()
    assert (next(running), running.send(5)) == (1, 5)
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == 3
    next(closed := generator())
    closed.close()
    assert [item async for item in agenerator()] == [1, 2]
    task = asyncio.create_task(coroutine())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with red("job", registry=registry):
        pass
    assert registry.get_sample_value("job_requests_total") == 8
    assert registry.get_sample_value("job_errors_total") == 1
    assert registry.get_sample_value("job_duration_seconds_count") == 8
    assert inspect.iscoroutinefunction(coroutine)
    assert plain.__name__ == "plain"


def test_provider_telemetry(registry):
    manager = TelemetryManager(registry)
    telemetry = manager.get("exchange")
    telemetry.report_metric("ticks", 3, MetricType.COUNTER)
    telemetry.report_metric("ticks", 4)
    telemetry.report_metric("queue.depth", 9, MetricType.GAUGE, {"queue": "in"})
    telemetry.report_metric("call", 0.2, MetricType.TIMER)
    assert registry.get_sample_value("ticks_total", {"provider": "exchange"}) == 7
    labels = {"provider": "exchange", "queue": "in"}
    assert registry.get_sample_value("queue_depth", labels) == 9
    assert registry.get_sample_value("call_seconds_count", {"provider": "exchange"}) == 1
    assert manager.providers() == ["exchange"]
    with pytest.raises(TypeError, match=r"MetricType\.COUNTER"):
        telemetry.report_metric("x", 1, "counter")
    with pytest.raises(ValueError, match="name"):
        manager.get("")
    with capture_logs() as logs:
        telemetry.info("connected", "feed is up", host="h")
        telemetry.report_event("lost", level=EventLevel.ERROR)
    assert get_provider_telemetry("a") is get_provider_telemetry("a")
    assert (logs[0]["event"], logs[0]["message"], logs[0]["provider"]) == (
        "connected",
        "feed is up",
        "exchange",
    )
    assert logs[0]["function"] == "test_provider_telemetry"
    assert (logs[1]["level"], logs[1]["message"]) == ("error", "lost")


def get(url, headers=None, context=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return answer.status, answer.headers, answer.read()


def test_the_server_serves(registry):
    counter("hits_total", registry=registry).inc()
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        status, headers, body = get(server.url)
        assert status == 200
        assert b"hits_total 1.0" in body
        assert headers["Content-Type"].startswith("text/plain")
        _, headers, body = get(
            server.url, {"Accept-Encoding": "gzip", "Accept": "application/openmetrics-text"}
        )
        assert headers["Content-Encoding"] == "gzip"
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            get(server.url + "x")
        caught.value.close()
        assert server.start_in_background() is server
        port = server.port
    assert port > 0
    server.stop()
    again = MetricsServer(port, "127.0.0.1", registry=registry).start_in_background()
    assert get(again.url)[0] == 200
    again.stop()


def test_a_taken_port_names_host_and_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            MetricsServer(port, "127.0.0.1").start_in_background()
    with pytest.raises(OSError, match=r"no\.such\.host"):
        MetricsServer(0, "no.such.host.invalid").start_in_background()
    for port in (-1, 65536, "80", True):
        with pytest.raises(ValueError, match="port"):
            MetricsServer(port)


def test_a_hundred_cycles_leak_nothing():
    def count():
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for n in range(100):
        server = MetricsServer(0, "127.0.0.1").start_in_background()
        if n % 10 == 0:
            get(server.url)
        if n % 10 == 5:
            silent = socket.create_connection(("127.0.0.1", server.port))
            server.stop()
            silent.close()
        server.stop()
    end = time.monotonic() + 5
    while count() != before:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    server = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    server.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    server.private_key_pem.write_to_path(folder / "key.pem")
    return folder / "cert.pem", folder / "key.pem"


def test_tls_and_basic_auth(certificate):
    trust = ssl.create_default_context(cafile=certificate[0].with_name("ca.pem"))
    basic = {"Authorization": "Basic " + base64.b64encode(b"ada:p:w").decode()}
    with MetricsServer(0, "127.0.0.1", tls=certificate, auth=("ada", "p:w")) as server:
        assert server.url.startswith("https://")
        assert get(server.url, basic, trust)[0] == 200
        for headers in ({}, {"Authorization": "Basic eA=="}, {"Authorization": "Basic \xff"}):
            with pytest.raises(urllib.error.HTTPError, match="401") as caught:
                get(server.url, headers, trust)
            caught.value.close()
        with pytest.raises(urllib.error.URLError, match="certificate"):
            get(server.url, basic, ssl.create_default_context())
        # A client that does not speak TLS, or says nothing, stops nobody else.
        silent = socket.create_connection(("127.0.0.1", server.port))
        with socket.create_connection(("127.0.0.1", server.port)) as rude:
            rude.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert get(server.url, basic, trust)[0] == 200
        silent.close()
    for bad in ({"tls": "cert.pem"}, {"auth": ("ada", "")}, {"auth": "ada"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            MetricsServer(0, **bad)


def test_a_failing_collector_is_a_500(registry):
    class Broken:
        def collect(self):
            raise RuntimeError("secret detail")

    registry._collector_to_names[Broken()] = []
    with MetricsServer(0, "127.0.0.1", registry=registry) as server:
        with pytest.raises(urllib.error.HTTPError, match="500") as caught:
            get(server.url)
        assert b"secret detail" not in caught.value.read()
        caught.value.close()


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


def test_a_counter_counts_exactly_under_threads(registry):
    metric = counter("hits_total", labels=["a"], registry=registry)

    def hit():
        for number in range(5_000):
            metric.labels("x").inc()
            if number % 10 == 0:
                metric.labels("x").inc(2)
                assert registry.get_sample_value("hits_total", {"a": "x"}) >= 3

    threads = [threading.Thread(target=hit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.get_sample_value("hits_total", {"a": "x"}) == 24_000
    metric.labels("x").reset()
    metric.labels("x").inc(1.5)
    metric.labels("x").inc()
    assert registry.get_sample_value("hits_total", {"a": "x"}) == 2.5
    plain = counter("plain_total", registry=registry)
    plain.inc(exemplar={"trace_id": "abc"})
    assert registry.get_sample_value("plain_total") == 1
    with pytest.raises(ValueError, match="missing label values"):
        metric.inc()


def test_several_processes_keep_the_librarys_way(tmp_path):
    code = """
import os
from prometheus_client import CollectorRegistry, multiprocess
from shared.observability import counter
c = counter("hits_total", "Hits.", ["a"])
if os.fork() == 0:
    c.labels("x").inc(); c.labels("x").inc(2); os._exit(0)
os.wait()
c.labels("x").inc()
registry = CollectorRegistry()
multiprocess.MultiProcessCollector(registry)
print(registry.get_sample_value("hits_total", {"a": "x"}))
"""
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "4.0\n"
