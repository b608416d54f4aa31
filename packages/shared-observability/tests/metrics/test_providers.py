"""Metrics and events of providers."""

import pytest
from prometheus_client import CollectorRegistry

from shared.observability import (
    EventLevel,
    MetricType,
    TelemetryManager,
    capture_logs,
    get_provider_telemetry,
)


@pytest.fixture
def registry():
    return CollectorRegistry()


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
        telemetry.report_metric("x", 1, "counter")  # type: ignore[arg-type]
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
