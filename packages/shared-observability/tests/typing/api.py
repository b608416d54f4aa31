"""The public API as a type-checked file that is never run."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any, assert_type

from opentelemetry.context import Context  # noqa: TC002 - a file of types

import shared.observability as obs

names: list[str] = obs.__all__

obs.configure_logging()
obs.configure_logging(
    logging.DEBUG,
    format="text",
    output=Path("app.log"),
    service="shop",
    redact=obs.Sanitizer(keys=["badge"], patterns=[r"x\d"], safe_keys=["token"]),
    queue=obs.QueuePolicy(size=10, on_full="drop_old"),
    intercept_stdlib=False,
    schema="ecs",
    rotate="100 MB",
    keep=3,
)
obs.initialize_logging()
obs.set_log_level("DEBUG")
obs.set_log_level(10, "shop")
log = obs.get_logger(__name__)
assert_type(log, obs.Logger)
assert_type(log.bind(a=1), obs.Logger)
log.info("order %s placed", 7, order_id=7, anything=object())
log.exception("failed")  # noqa: LOG004
plain = obs.setup_logger("plain", "INFO", "json", "stderr")
assert_type(plain, logging.Logger)
obs.log_with_context(plain, "INFO", "message", order_id=7)
obs.bind(a=1)
obs.unbind("a")
with obs.log_context(a=1), obs.correlation() as identity:
    assert_type(identity, str)
assert_type(obs.correlation_id(), str | None)
if obs.every(5) and obs.sample(0.1):
    log.info("rarely")
assert_type(obs.flush(1.0), bool)
assert_type(obs.stats().dropped, int)
with obs.capture_logs() as logs:
    assert_type(logs, list[dict[str, Any]])


def job(x: int, *, y: str = "") -> float:
    return x


async def later(x: int) -> str:
    return str(x)


def numbers(n: int) -> Generator[int, None, str]:
    yield n
    return "end"


async def anumbers(n: int) -> AsyncGenerator[int, None]:
    yield n


assert_type(obs.propagate(job)(1, y="a"), float)
assert_type(obs.log_calls(job)(1, y="a"), float)
assert_type(obs.log_calls(level="DEBUG")(job)(1, y="a"), float)
assert_type(obs.log_exceptions(job)(1), float)
assert_type(obs.timed(job)(1), float)
assert_type(obs.deprecated("old", use="new")(job)(1), float)
assert_type(obs.trace_span("x", a=1)(job)(1), float)
assert_type(obs.red("x")(numbers)(1), Generator[int, None, str])
assert_type(obs.trace_span("x")(anumbers)(1), AsyncGenerator[int, None])
assert_type(obs.benchmark(10, track_memory=True)(job)(1).mean, float)
callback: Callable[[int], float] = obs.measure_execution_time(job)


async def tasks() -> None:
    assert_type(await obs.propagate(later)(1), str)
    assert_type(await obs.async_log_exceptions(later)(1), str)
    assert_type(await obs.async_timed(level="INFO")(later)(1), str)
    assert_type(await obs.red("x")(later)(1), str)
    assert_type(await log.ainfo("m", a=1), None)
    async with obs.trace_span("x"), obs.log_context(a=1), obs.extract({}) as found:
        assert_type(found.correlation_id, str | None)


with obs.ContextThreadPoolExecutor(2) as pool:
    assert_type(pool.submit(job, 1, y="a").result(), float)

obs.counter("orders_total", "Orders.", ["shop"], max_series=10).labels("north").inc()
obs.gauge("depth").set(3)
obs.histogram("wait_seconds", buckets=[0.1, 1]).observe(0.2)
with obs.MetricsServer(
    0, "127.0.0.1", tls=("cert.pem", Path("key.pem")), auth=("u", "p")
) as server:
    assert_type(server.port, int)
    assert_type(server.url, str)
tracer = obs.setup_tracing(
    obs.TracingConfig("shop", "otlp", otlp_endpoint="http://c:4318", sample_ratio=0.5)
)
assert_type(tracer.shutdown(2), bool)
assert_type(obs.inject({"a": "b"}), dict[str, str])
with obs.extract({"traceparent": "x"}) as caller:
    assert_type(caller.correlation_id, str | None)
with obs.Timer() as timer, obs.MemoryTracker() as memory, obs.PerformanceTracker("x") as tracker:
    assert_type(timer.elapsed, float)
    assert_type(memory.peak, int)
    with tracker.step("a"):
        pass
with obs.measure_time() as t, obs.measure_memory() as m, obs.performance_tracker() as p:
    assert_type((t, m, p), tuple[obs.Timer, obs.MemoryTracker, obs.PerformanceTracker])
telemetry = obs.get_provider_telemetry("pg")
telemetry.report_metric("rows", 3, obs.MetricType.COUNTER)
telemetry.info("connected", "message", host="h")
assert_type(obs.MetricsAggregator().quantile("x", 0.9), float)
obs.SystemReporter("job", "logs", verbose=2).info("done", context={"rows": 3})


async def app(scope: Any, receive: Any, send: Any) -> None: ...


obs.TelemetryMiddleware(app, name="http", exclude=["/metrics"], buckets=[0.1, 1])
obs.TelemetryMiddleware(app, exclude=lambda scope: scope["path"] == "/metrics")
obs.gauge("workers_up", multiprocess_mode="livesum").inc()
context: Context = obs.extract({"traceparent": "x"})
assert_type(obs.log_calls(log_args=True, log_result=True)(job)(1), float)
obs.SystemReporter("job").info("done", context="Service")
obs.configure_logging("INFO", log_file="app.log")
assert_type(memory.memory_used, int)
