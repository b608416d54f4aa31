"""Packages meet in plain callables and small protocols that the service wires together."""

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from shared.config import load_settings
from shared.db import DatabaseConnections, embedded
from shared.health import Health, HealthServer
from shared.lifecycle import GracefulShutdown
from shared.observability import (
    Timer,
    capture_logs,
    get_logger,
    trace_span,
)
from shared.resilience import CircuitBreaker, Pipeline, Retry
from shared.timeseries import AnomalyDetector, aggregate_time_series


@pytest.fixture(scope="module")
def redis():
    with embedded.redis() as store:
        yield store


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_settings_open_the_stores_and_their_checks_are_probes(redis):
    settings = load_settings(env=redis.env, dotenv=None)
    with DatabaseConnections.from_settings(settings) as db:
        assert db.redis.set("wired", 1)
        health = Health("wired")
        health.add("redis", db.health_checks()["redis"], interval=0.05, fail_after=1)
        with HealthServer(health, port=0, host="127.0.0.1") as server:
            assert status(f"{server.url}/health/ready") == 200
            redis.stop()
            health.refresh(timeout=5)
            assert status(f"{server.url}/health/ready") == 503
            assert status(f"{server.url}/health/live") == 200
            redis.start()


def test_a_shutdown_drains_the_probes_before_its_hooks_run():
    health = Health("draining")
    seen = []
    shutdown = GracefulShutdown(drain_delay=0)
    with HealthServer(health, port=0, host="127.0.0.1") as server:
        shutdown.on_drain(health.start_draining)
        shutdown.on_shutdown(lambda: seen.append(status(f"{server.url}/health/ready")))
        assert status(f"{server.url}/health/ready") == 200
        shutdown.trigger("test")
        assert shutdown.join().failures == ()
    assert seen == [503]


EVENTS = """
from shared.observability import configure_logging, correlation
from shared.resilience import CircuitBreaker, CircuitBreakerConfig

configure_logging("INFO", format="json", output="stdout")
with correlation("c-1"):
    try:
        CircuitBreaker("wired", CircuitBreakerConfig(failure_threshold=1)).call(int, "no")
    except ValueError:
        pass
"""


def test_events_of_resilience_reach_the_log_of_observability_with_its_context():
    """In a process of its own: which listeners there are is settled once a process."""
    command = [sys.executable, "-c", EVENTS]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (opened,) = [line for line in map(json.loads, output.splitlines()) if line.get("new") == "open"]
    assert opened["message"] == "resilience.breaker.opened"
    assert opened["correlation_id"] == "c-1"


async def test_one_pipeline_inside_a_span_inside_a_timer():
    @trace_span("ask")
    async def ask(value):
        await asyncio.sleep(0)
        get_logger("wired").info("asked", value=value)
        return value

    pipeline = Pipeline(retry=Retry(max_attempts=2), breaker=CircuitBreaker("wired-pipeline"))
    with capture_logs() as lines, Timer() as timer:
        assert await pipeline.acall(ask, 42) == 42
    assert timer.elapsed > 0
    assert [line["value"] for line in lines if line["message"] == "asked"] == [42]


def test_a_pool_and_the_service_share_one_metrics_registry(redis):
    registry = CollectorRegistry()
    with DatabaseConnections() as db:
        db.initialize_redis(**redis.settings)
        db.instrument(prometheus=registry)
        assert db.redis.ping()
        text = generate_latest(registry).decode()
    assert "redis" in text
    assert redis.settings["password"] not in text


def test_windows_of_one_package_feed_the_detector_and_travel_as_json():
    rows = [{"at": second, "load": float(second % 7)} for second in range(600)]
    windows = aggregate_time_series(rows, "at", "load", "10s")
    detector = AnomalyDetector()
    found = [detector.update(row["window_start"], row["value"]) for row in windows]
    assert len(found) == 60
    assert json.loads(json.dumps(windows))[0]["count"] == 10
