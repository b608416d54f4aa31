"""Telemetry through the three libraries, and what is imported when."""

import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.resilience import (
    AdaptiveLimiter,
    Bulkhead,
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitOpenError,
    RateLimitedError,
    RateLimiter,
    get_listeners,
    logging_listener,
    opentelemetry_listener,
    prometheus_listener,
    set_listeners,
    structlog_listener,
)


def trip(clock):
    breaker = CircuitBreaker("pay", CircuitBreakerConfig(failure_threshold=1), clock=clock)

    @breaker
    def fail():
        raise ConnectionError

    with pytest.raises(ConnectionError):
        fail()
    with pytest.raises(CircuitOpenError):
        fail()
    return breaker


def test_prometheus(clock):
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    set_listeners([prometheus_listener(registry)])
    breaker = trip(clock)

    def events(policy, name, event):
        labels = {"policy": policy, "name": name, "event": event}
        return registry.get_sample_value("resilience_events_total", labels)

    def state(name):
        labels = {"name": "pay", "state": name}
        return registry.get_sample_value("resilience_breaker_state", labels)

    assert events("breaker", "pay", "opened") == 1
    assert events("breaker", "pay", "rejected") == 1
    assert (state("open"), state("closed")) == (1, 0)
    clock.advance(60)
    breaker.call(int)
    assert (state("open"), state("half_open"), state("closed")) == (0, 0, 1)
    limiter = RateLimiter(1, 60.0, wait=False, name="quick")
    limiter.acquire()
    with pytest.raises(RateLimitedError):
        limiter.acquire()
    assert events("rate_limiter", "quick", "rejected") == 1

    class Up:
        def update(self, limit, seconds, active, *, dropped):
            return limit + 1

    AdaptiveLimiter(Up(), initial=5, name="db").call(int)
    labels = {"policy": "adaptive_limiter", "name": "db"}
    assert registry.get_sample_value("resilience_limit", labels) == 6


@pytest.fixture
def structlog():
    """structlog as it is when nothing has configured it."""
    import structlog

    configured = structlog.get_config()
    structlog.reset_defaults()
    yield structlog
    structlog.configure(**configured)


def test_structlog(clock, structlog):
    set_listeners([structlog_listener()])
    with structlog.testing.capture_logs() as logs:
        trip(clock)
    assert [log["event"] for log in logs] == ["resilience.breaker.opened"]
    assert logs[0]["log_level"] == "warning"
    assert (logs[0]["policy_name"], logs[0]["new"]) == ("pay", "open")


def test_standard_logging(clock, caplog):
    set_listeners([logging_listener()])
    with caplog.at_level(logging.INFO, "shared.resilience"):
        trip(clock)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "pay opened" in caplog.text


def test_opentelemetry(clock):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    set_listeners([opentelemetry_listener()])
    trip(clock)  # without a span nothing happens
    with provider.get_tracer("test").start_as_current_span("request"):
        trip(clock)
    events = exporter.get_finished_spans()[0].events
    assert [event.name for event in events] == [
        "resilience.breaker.opened",
        "resilience.breaker.rejected",
    ]
    assert events[0].attributes is not None
    assert events[0].attributes["resilience.name"] == "pay"


def test_default_listeners_are_what_is_installed():
    code = """
import sys
from shared.resilience import Bulkhead, BulkheadFullError, get_listeners
blocked = {"redis", "prometheus_client", "opentelemetry", "structlog", "stamina", "asyncio"}
assert not blocked & set(sys.modules), blocked & set(sys.modules)
for name in ("prometheus_client", "opentelemetry", "structlog"):
    sys.modules[name] = None  # as if not installed
bulkhead = Bulkhead(1)
with bulkhead:
    try:
        bulkhead.call(int)
    except BulkheadFullError:
        pass
print(len(get_listeners()))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr


def test_a_refused_call_is_an_event_and_a_good_one_is_not(events):
    bulkhead = Bulkhead(1)
    bulkhead.call(int)
    assert events == []


def test_first_use_from_many_threads_makes_the_listeners_once(monkeypatch):
    made = []

    def slow():
        made.append(threading.get_ident())
        time.sleep(0)  # let the others come in
        return (made.append,)

    monkeypatch.setattr("shared.resilience._events.listeners.default_listeners", slow)
    for _ in range(20):
        made.clear()
        set_listeners(None)
        start = threading.Barrier(8)

        def use(start=start):
            start.wait()
            return get_listeners()

        with ThreadPoolExecutor(8) as pool:
            answers = {pool.submit(use) for _ in range(8)}
            assert len({answer.result() for answer in answers}) == 1
        assert len(made) == 1


def test_a_choice_made_while_the_default_is_being_made_stays(monkeypatch):
    making, go_on = threading.Event(), threading.Event()

    def slow():
        making.set()
        assert go_on.wait(20)
        return ()

    monkeypatch.setattr("shared.resilience._events.listeners.default_listeners", slow)
    set_listeners(None)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get_listeners)
        assert making.wait(20)
        choice = pool.submit(set_listeners, [print])
        go_on.set()
        first.result()
        choice.result()
    assert get_listeners() == (print,)
