"""Get-or-create, bounds, names, exact counts."""

import os
import subprocess
import sys
import threading

import prometheus_client
import pytest

from shared.observability import (
    counter,
    gauge,
    histogram,
)


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
@pytest.mark.parametrize("make", [counter, gauge, histogram])
def test_bad_names_are_named(registry, make, name):
    kind = ValueError if isinstance(name, str) else TypeError
    with pytest.raises(kind, match="name must be"):
        make(name, registry=registry)
    with pytest.raises(kind, match="labels must be"):
        make("fine", labels=[name], registry=registry)


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
        with pytest.raises(ValueError, match="labels of a must be x, y, not"):
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
