"""Several workers: one answer for all, whichever worker is asked, and no gauges of dead ones."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from shared.observability import MetricsServer, counter, gauge, histogram

APP = """
import json, os
from shared.observability import MetricsServer, WSGITelemetryMiddleware, counter, gauge

jobs = counter("jobs_total", "Jobs.", ["kind"])
gauge("workers_up", "Workers.", multiprocess_mode="livesum").set(1)
MetricsServer(int(os.environ["METRICS_PORT"]), "127.0.0.1").start_in_background()


def shop(environ, start_response):
    jobs.labels("web").inc()
    start_response("200 OK", [("Connection", "close")])
    return [json.dumps(os.getpid()).encode()]


app = WSGITelemetryMiddleware(shop)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def values(text):
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run there")
def test_two_gunicorn_workers(tmp_path, until):
    Path(tmp_path, "shop.py").write_text(APP, encoding="utf-8")
    folder = tmp_path / "metrics"
    folder.mkdir()
    port, metrics = free_port(), free_port()
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder), "METRICS_PORT": str(metrics)}
    command = [sys.executable, "-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "shop:app"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.DEVNULL) as server:
        try:
            seen, asked = set(), 0

            def both_answer():
                nonlocal asked
                try:
                    seen.add(json.loads(ask(f"http://127.0.0.1:{port}/")))
                except OSError:
                    return False
                asked += 1
                return len(seen) == 2

            until("both workers to answer", both_answer, 30)
            scrapes = [values(ask(f"http://127.0.0.1:{metrics}/metrics")) for _ in range(12)]
            assert {scrape['jobs_total{kind="web"}'] for scrape in scrapes} == {asked}
            assert {scrape["workers_up"] for scrape in scrapes} == {2}
            assert {scrape["http_requests_in_progress"] for scrape in scrapes} == {0}

            os.kill(min(seen), signal.SIGKILL)
            before = set(seen)

            def replaced():
                both_answer()
                return len(seen) == len(before) + 1

            until("a new worker to answer", replaced, 30)
            scrapes = [values(ask(f"http://127.0.0.1:{metrics}/metrics")) for _ in range(6)]
            assert {scrape['jobs_total{kind="web"}'] for scrape in scrapes} == {asked}
            assert {scrape["workers_up"] for scrape in scrapes} == {2}
        finally:
            server.terminate()


FORKS = """
import os, signal, sys, threading, urllib.request
from shared.observability import MetricsServer, counter, gauge, histogram

things = [counter("a_total", "A.", ["x"]), histogram("b_seconds", "B.", ["x"]), gauge("c", "C.", ["x"])]
plain = histogram("d_seconds", "D.")
server = MetricsServer(0, "127.0.0.1").start_in_background()
stop = threading.Event()


def work(number):
    while not stop.is_set():
        things[0].labels(number).inc(2)
        things[1].labels(number).observe(0.1)
        things[2].labels(number).set(1)
        plain.observe(0.1)


for number in range(3):
    threading.Thread(target=work, args=(number,), daemon=True).start()
for _ in range(40):
    child = os.fork()
    if not child:
        signal.alarm(10)  # a child that hangs dies of it
        for number in range(5):
            things[0].labels(number).inc(2)
            things[1].labels(number).observe(0.1)
            things[2].labels(number).set(1)
        plain.observe(0.1)
        counter("e_total").inc()
        mine = MetricsServer(0, "127.0.0.1").start_in_background()
        with urllib.request.urlopen(mine.url, timeout=5) as answer:
            assert b"e_total 1.0" in answer.read()
        mine.stop()
        server.stop()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
with urllib.request.urlopen(server.url, timeout=5) as answer:
    assert b"a_total" in answer.read()
stop.set()
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_fork_while_threads_count_and_a_server_serves():
    command = [sys.executable, "-W", "ignore", "-c", FORKS]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.stdout == "done\n", run.stderr


HELD = """
import os, signal, threading
from prometheus_client import REGISTRY
from shared.observability import counter, gauge, histogram

one, two, three = counter("a_total"), histogram("b_seconds"), gauge("c", labels=["x"])
three.labels("x").set(1)
held = [one._value._lock, two._sum._lock, *(b._lock for b in two._buckets),
        three.labels("x")._value._lock, three._lock, REGISTRY._lock]
ready, done = threading.Event(), threading.Event()


def hold():
    for lock in held:
        lock.acquire()
    ready.set()
    done.wait()


threading.Thread(target=hold, daemon=True).start()
ready.wait()
child = os.fork()
if not child:
    signal.alarm(5)
    one.inc(2)
    two.observe(1)
    three.labels("x").inc()
    three.labels("y").inc()
    gauge("new").set(1)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_locks_that_another_thread_held_are_free_in_the_child():
    command = [sys.executable, "-W", "ignore", "-c", HELD]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout == "0\n", run.stderr


def test_two_threads_start_one_server(registry):
    server, start, errors = (
        MetricsServer(free_port(), "127.0.0.1", registry=registry),
        threading.Barrier(4),
        [],
    )

    def begin():
        start.wait()
        try:
            server.start_in_background()
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ask(server.url) is not None
    server.stop()


@pytest.mark.parametrize("name", ["jobs_total", "jobs_count", "jobs_sum", "jobs_bucket"])
def test_a_gauge_with_a_suffix_of_another_type_warns(name):
    with pytest.warns(UserWarning, match=name):
        gauge(name, registry=CollectorRegistry())
    counter("jobs_total", registry=CollectorRegistry())


def test_a_histogram_with_total_warns():
    with pytest.warns(UserWarning, match="belongs to another type"):
        histogram("wait_seconds_total", registry=CollectorRegistry())


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="multiprocess_mode must be one of 'all'"):
        gauge("x", multiprocess_mode="average")  # type: ignore[arg-type]
