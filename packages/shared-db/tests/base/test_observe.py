"""Metrics and spans."""

from typing import Any

import prometheus_client
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.db import (
    AsyncDatabaseConnections,
    DatabaseConnections,
)


def test_prometheus(redis_settings, postgres_settings, clickhouse_settings):
    registry = prometheus_client.CollectorRegistry()
    with DatabaseConnections.from_settings(
        [redis_settings, postgres_settings, clickhouse_settings]
    ) as db:
        db.postgres.execute("SELECT 1")
        db.instrument(prometheus=registry)
        db.redis.set("k", "v")
        with db.redis.pipeline() as pipe:
            pipe.get("k")
            pipe.execute()
        db.postgres.execute("SELECT 'value'")
        with pytest.raises(Exception, match="nope"):
            db.postgres.execute("SELECT nope")
        db.clickhouse.query("SELECT 1")
        text = prometheus_client.generate_latest(registry).decode()
    count = 'shared_db_operation_seconds_count{name="default",operation="%s",outcome="%s",store="%s"} 1.0'
    for operation, outcome, store in (
        ("SET", "ok", "redis"),
        ("MULTI", "ok", "redis"),
        ("SELECT", "ok", "postgres"),
        ("SELECT", "UndefinedColumn", "postgres"),
        ("SELECT", "ok", "clickhouse"),
    ):
        assert count % (operation, outcome, store) in text
    assert 'shared_db_connections{name="default",state="idle",store="postgres"} 1.0' in text
    assert 'shared_db_connections_max{name="default",store="postgres"} 10.0' in text
    assert 'shared_db_connections_opened_total{name="default",store="postgres"} 1.0' in text
    assert "value" not in text


async def test_opentelemetry(redis_settings, postgres_settings):
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    async with AsyncDatabaseConnections.from_settings([redis_settings, postgres_settings]) as db:
        db.instrument(opentelemetry=[tracers, meters])
        await db.redis.set("k", "hidden")
        with pytest.raises(Exception, match="hidden"):
            await db.postgres.execute("SELECT 'hidden'::int")
        finished: Any = exporter.get_finished_spans()
        spans = {span.attributes["db.system.name"]: span for span in finished}
        metrics: Any = reader.get_metrics_data()
        data = metrics.to_json()
    assert spans["redis"].name == f"SET {redis_settings['database']}"
    wrong = spans["postgresql"]
    assert dict(wrong.attributes) == {
        "db.system.name": "postgresql",
        "db.operation.name": "SELECT",
        "db.namespace": postgres_settings["database"],
        "server.address": postgres_settings["host"],
        "server.port": postgres_settings["port"],
        "error.type": "InvalidTextRepresentation",
        "db.response.status_code": "22P02",
    }
    assert wrong.kind.name == "CLIENT"
    assert not wrong.status.is_ok
    assert "hidden" not in wrong.to_json() + data
    for metric in (
        "db.client.operation.duration",
        "db.client.connection.count",
        "db.client.connection.max",
    ):
        assert metric in data
    with pytest.raises(TypeError, match="MeterProvider"):
        db.instrument(opentelemetry=object())
