"""The gauges of every check, as both libraries collect them."""

from __future__ import annotations

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
