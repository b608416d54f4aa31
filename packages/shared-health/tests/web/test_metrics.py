"""The gauges of every check, as both libraries collect them."""

from __future__ import annotations

import gc
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest

from shared.health import Health, Heartbeat


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


def two_healths():
    one, two = Health("orders"), Health("billing")
    one.add("db", lambda: True)
    two.add("db", lambda: False)
    one.refresh()
    two.refresh()
    return one, two


def test_two_healths_in_one_registry():
    registry = CollectorRegistry()
    one, two = two_healths()
    for health in (one, two, one):
        health.instrument(prometheus=registry)
    lines = generate_latest(registry).decode().splitlines()
    one.stop()
    two.stop()
    assert 'health_check_status{check="db",service="orders"} 1.0' in lines
    assert 'health_check_status{check="db",service="billing"} 0.0' in lines
    assert 'health_ready{service="orders"} 1.0' in lines
    assert 'health_ready{service="billing"} 0.0' in lines
    assert len(lines) == len(set(lines))


def test_two_healths_of_one_service_give_no_sample_twice():
    registry = CollectorRegistry()
    one, two = Health("orders"), Health("orders")
    one.add("db", lambda: True)
    two.add("db", lambda: False)
    one.refresh()
    two.refresh()
    one.instrument(prometheus=registry)
    two.instrument(prometheus=registry)
    lines = generate_latest(registry).decode().splitlines()
    one.stop()
    two.stop()
    samples = [line for line in lines if line.startswith("health_check_status{")]
    assert samples == ['health_check_status{check="db",service="orders"} 0.0']
    assert 'health_ready{service="orders"} 0.0' in lines


def test_what_is_gone_or_removed_is_not_published():
    registry = CollectorRegistry()
    health = Health("orders")
    health.add("db", Heartbeat(30))
    health.instrument(prometheus=registry)
    assert 'check="db"' in generate_latest(registry).decode()
    health.remove("db")
    assert 'check="db"' not in generate_latest(registry).decode()
    del health
    gc.collect()
    assert "orders" not in generate_latest(registry).decode()


def test_two_healths_of_one_provider(caplog):
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    one, two = two_healths()
    one.instrument(opentelemetry=provider)
    two.instrument(opentelemetry=provider)
    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    one.stop()
    two.stop()
    provider.shutdown()
    names = [metric.name for metric in metrics]
    assert len(names) == len(set(names))
    points: Any = next(m for m in metrics if m.name == "health_check_status").data.data_points
    assert {p.attributes["service"]: p.value for p in points} == {"orders": 1.0, "billing": 0.0}
    assert "already been created" not in caplog.text
