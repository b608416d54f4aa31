"""The names that the platforms' own `shared/` folders used keep working in today's packages."""

import asyncio
import importlib
import os
import subprocess
import sys
import urllib.request

import pytest

NAMES = {
    "config": """settings Settings load_settings ConfigValidator ValidationResult BaseConfig
        ConfigRegistry register_config get_config encrypt_config_value decrypt_config_value
        FeatureFlags on_config_change watch ConfigurationError Keyring""",
    "db": """DatabaseConnections AsyncDatabaseConnections get_postgres_connection
        get_postgres_cursor get_clickhouse_client get_qdrant_client get_redis_client
        initialize_all_databases DatabaseError PoolExhausted NotConfigured DriverMissing
        Unavailable PoolClosed LockLost OutcomeUnknown""",
    "resilience": """CircuitBreaker CircuitBreakerConfig CircuitBreakerRegistry circuit_breaker
        with_circuit_breaker get_circuit_breaker reset_circuit_breaker get_fallback Retry RetryBudget retry
        async_retry retry_with_backoff with_timeout deadline remaining RateLimiter TokenBucket
        rate_limit RedisRateLimiter Bulkhead AdaptiveLimiter AdaptiveThrottle Hedge with_fallback
        ProviderFallback Fallback process_in_batches Chaos Pipeline CountWindow TimeWindow
        ResilienceError CircuitOpenError CircuitBreakerError BulkheadFullError RateLimitedError
        RetryBudgetExhausted""",
    "observability": """configure_logging setup_logger get_logger set_log_level log_with_context
        initialize_logging bind unbind log_context correlation_id correlation propagate
        ContextThreadPoolExecutor every sample Sanitizer capture_logs flush stats log_calls
        log_exceptions deprecated async_log_exceptions SystemReporter Emoji counter gauge
        histogram red MetricsServer timed async_timed Timer MemoryTracker PerformanceTracker
        measure_time measure_memory performance_tracker get_memory_usage benchmark
        measure_execution_time get_provider_telemetry MetricType TelemetryManager EventLevel
        MetricsAggregator setup_tracing TracingConfig trace_span inject extract
        TelemetryMiddleware WSGITelemetryMiddleware QueuePolicy""",
    "health": "Health HealthCheck HealthStatus HealthServer Heartbeat EventLoopLag checks",
    "lifecycle": """GracefulShutdown managed ConnectionPool ResourcePool ConnectionPoolConfig
        pooled_resource register_pool get_pool initialize_pools close_pools Container""",
    "timeseries": """create_time_windows aggregate_time_series calculate_rate_of_change
        counter_rate counter_increase detect_anomalies AnomalyDetector Anomaly
        calculate_percentile resample fill_gaps rolling ewma downsample TimeSeries
        ClickHouseSeries plot""",
    "indicators": """SMA EMA WMA DEMA TEMA HMA KAMA RMA VWMA RSI MACD PPO Stochastic StochRSI CCI
        WilliamsR ROC Momentum MFI TSI UltimateOscillator AwesomeOscillator BollingerBands ATR NATR
        TrueRange KeltnerChannels DonchianChannels StdDev OBV AccumulationDistribution
        ChaikinOscillator ChaikinMoneyFlow VWAP PVT ADX Aroon ParabolicSAR SuperTrend Ichimoku
        Vortex TRIX MACDResult BollingerBandsResult available plot""",
    "ids": """generate_id generate_timestamp hash_string slugify truncate_string dict_to_object
        object_to_dict""",
    "validation": """validate validate_dict ValidationResult ValidationError Validator
        FunctionValidator SchemaValidator is_email is_url matches_pattern min_length max_length
        is_positive is_integer min_value max_value value_between min_items max_items contains
        unique_items is_instance_of is_string is_dict is_list all_of any_of none_of not_
        validate_required validate_email validate_url validate_range validate_length validate_enum
        validate_date_range""",
    "storage": """load_json save_json get_file_extension get_file_mime_type get_file_size file_hash
        StorageType StorageProvider MemoryStorageProvider FileStorageProvider connect get set
        register_memory_provider register_file_provider register_provider delete exists list_keys
        disconnect""",
}


@pytest.mark.parametrize("package", NAMES)
def test_every_name_is_public(package):
    module = importlib.import_module(f"shared.{package}")
    missing = [name for name in NAMES[package].split() if name not in module.__all__]
    assert missing == []
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_circuit_breaker_call():
    from shared.resilience import CircuitBreaker, CircuitBreakerConfig

    breaker = CircuitBreaker("x", CircuitBreakerConfig(failure_threshold=5, recovery_timeout=60))
    assert breaker.call(max, 1, 2) == breaker.execute(max, 1, 2) == 2


def test_with_timeout_as_a_decorator():
    from shared.resilience import with_timeout

    @with_timeout(5.0)
    async def answer(value: int) -> int:
        return value

    assert asyncio.run(answer(42)) == 42


def test_health_server_in_the_background():
    from shared.health import HealthCheck, HealthServer, HealthStatus

    class Mine(HealthCheck):
        def check(self) -> HealthStatus:
            return HealthStatus.HEALTHY

    server = HealthServer(Mine(), port=0, host="127.0.0.1").start_in_background()
    try:
        with urllib.request.urlopen(f"{server.url}/health/ready", timeout=5) as reply:
            assert reply.status == 200
    finally:
        server.stop()


CURSOR = """
from shared.db import get_postgres_cursor

with get_postgres_cursor() as cursor:
    cursor.execute("SELECT 6 * 7")
    print(cursor.fetchone()[0])
"""


def test_postgres_cursor_from_the_environment(tmp_path):
    from shared.db import embedded

    with embedded.postgres() as store:
        output = subprocess.run(
            [sys.executable, "-c", CURSOR],
            cwd=tmp_path,
            env=os.environ | store.env,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert output == "42\n"


def test_rsi_calculate():
    from shared.indicators import RSI

    assert RSI(14).calculate([float(i) for i in range(20)])[-1] == 100.0


def test_setup_logger_is_a_standard_logger(capsys):
    from shared.observability import setup_logger

    setup_logger("seed", level="INFO", format_type="text", output="stdout").info("it works")
    assert "it works" in capsys.readouterr().out


def test_ids_and_text():
    from shared.ids import (
        dict_to_object,
        generate_id,
        hash_string,
        object_to_dict,
        slugify,
        truncate_string,
    )

    uid = generate_id(prefix="user_")
    hashed_password = hash_string("my_password", algorithm="sha256")
    assert uid.startswith("user_")
    assert len(hashed_password) == 64
    assert slugify("Hello World!") == "hello-world"
    assert truncate_string("a long sentence", 10) == "a long..."
    assert object_to_dict(dict_to_object({"a": {"b": 1}})) == {"a": {"b": 1}}


def test_validate_a_dictionary_against_a_schema():
    from shared.validation import (
        FunctionValidator,
        all_of,
        is_email,
        is_positive,
        min_length,
        validate,
        validate_dict,
    )

    email_validator = FunctionValidator(is_email, "Invalid email address")
    assert validate("user@example.com", email_validator).is_valid
    assert validate("user@", email_validator).errors[0].message == "Invalid email address"

    password_validator = all_of(
        min_length(8),
        lambda s: any(c.isupper() for c in s),
        lambda s: any(c.isdigit() for c in s),
    )
    assert password_validator("Passw0rd")
    assert len(validate("pass", password_validator).errors) == 3

    user_schema = {
        "email": is_email,
        "name": min_length(2),
        "age": all_of(is_positive, lambda n: n < 120),
    }
    user_data = {"email": "user@example.com", "name": "John", "age": 30}
    assert validate_dict(user_data, user_schema).validated_data == user_data
    result = validate_dict({"email": "user@", "name": "J", "age": 130}, user_schema)
    assert [error.path for error in result.errors] == ["email", "name", "age"]


def test_validate_required_and_email():
    from shared.validation import ValidationError, validate_email, validate_required

    with pytest.raises(ValidationError, match="name is required"):
        validate_required("  ", "name")
    assert validate_email("first.last+tag@example.photography")
    assert not validate_email("a..b@example.com")


def test_storage_and_files(tmp_path, monkeypatch):
    from shared.storage import connect, get, load_json, register_memory_provider, save_json, set  # noqa: A004 - as the snippet has it

    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    config = load_json("config.json")
    config["new_setting"] = "value"
    save_json(config, "config.json")
    save_json("config.json", {**load_json("config.json"), "more": 1})
    assert load_json("config.json") == {"new_setting": "value", "more": 1}

    async def main() -> object:
        register_memory_provider("cache")
        await connect("cache")
        await set("cache", "key1", {"value": 42})
        return await get("cache", "key1")

    assert asyncio.run(main()) == {"value": 42}
