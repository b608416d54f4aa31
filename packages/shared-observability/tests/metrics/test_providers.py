"""Metrics and events of providers."""

import pytest

from shared.observability import (
    EventLevel,
    MetricType,
    TelemetryManager,
    capture_logs,
    get_provider_telemetry,
)


@pytest.fixture
def manager(registry):
    return TelemetryManager(registry)


def test_a_counter_adds(manager, registry):
    telemetry = manager.get("exchange")
    telemetry.report_metric("ticks", 3, MetricType.COUNTER)
    telemetry.report_metric("ticks", 4)
    assert registry.get_sample_value("ticks_total", {"provider": "exchange"}) == 7


def test_a_gauge_is_set_and_its_name_made_valid(manager, registry):
    telemetry = manager.get("exchange")
    for depth in (8, 9):
        telemetry.report_metric("queue.depth", depth, MetricType.GAUGE, {"queue": "in"})
    labels = {"provider": "exchange", "queue": "in"}
    assert registry.get_sample_value("queue_depth", labels) == 9


def test_a_timer_is_a_histogram_of_seconds(manager, registry):
    manager.get("exchange").report_metric("call", 0.2, MetricType.TIMER)
    assert registry.get_sample_value("call_seconds_count", {"provider": "exchange"}) == 1


def test_an_unknown_type_is_refused(manager):
    with pytest.raises(TypeError, match=r"type must be one of MetricType\.COUNTER"):
        manager.get("exchange").report_metric("x", 1, "counter")


def test_events_are_lines_of_the_providers_logger(manager):
    telemetry = manager.get("exchange")
    with capture_logs("DEBUG") as logs:
        telemetry.info("connected", "feed is up", host="h")
        telemetry.report_event("lost", level=EventLevel.ERROR)
        telemetry.debug("detail")
        telemetry.warning("slow")
        telemetry.critical("over")
        try:
            raise OSError("feed")
        except OSError:
            telemetry.error("failed")
    first = logs[0]
    assert (first["event"], first["message"], first["provider"], first["host"]) == (
        *("connected", "feed is up", "exchange", "h"),
    )
    assert first["logger"] == "provider.exchange"
    assert first["function"] == "test_events_are_lines_of_the_providers_logger"
    levels = ["info", "error", "debug", "warning", "critical", "error"]
    assert [line["level"] for line in logs] == levels
    assert logs[-1]["exception"][0]["type"] == "OSError"


def test_providers_are_known_by_name(manager):
    assert manager.get("b") is manager.get("b")
    manager.get("a")
    assert manager.providers() == ["a", "b"]
    assert get_provider_telemetry("a") is get_provider_telemetry("a")
    with pytest.raises(ValueError, match="name must be a string that is not empty"):
        manager.get("")
