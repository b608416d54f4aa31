"""Circuit breaker, retry, timeout, limits, bulkhead, hedging, fallback and pipelines."""

from typing import TYPE_CHECKING, Any

from ._errors import (
    BulkheadFullError,
    CircuitBreakerError,
    CircuitOpenError,
    RateLimitedError,
    ResilienceError,
    RetryBudgetExhausted,
)

if TYPE_CHECKING:
    from ._adaptive import AdaptiveLimiter, Gradient, LimitAlgorithm, Vegas
    from ._attempts import Attempt
    from ._batches import Batches, process_in_batches
    from ._breaker import CircuitBreaker
    from ._breaker_config import CircuitBreakerConfig, CircuitState, CountWindow, TimeWindow
    from ._bulkhead import Bulkhead
    from ._chaos import Chaos
    from ._deadline import deadline, remaining
    from ._fallback import Fallback, ProviderFallback, with_fallback
    from ._hedge import Hedge
    from ._limiter import RateLimiter, rate_limit
    from ._listeners import (
        logging_listener,
        opentelemetry_listener,
        prometheus_listener,
        structlog_listener,
    )
    from ._permit import CircuitBreakerMetrics, Permit
    from ._pipeline import Pipeline
    from ._policy import Policy
    from ._redis_breaker import RedisCircuitBreaker
    from ._redis_limiter import RedisRateLimiter
    from ._registry import (
        CircuitBreakerRegistry,
        circuit_breaker,
        get_circuit_breaker,
        reset_circuit_breaker,
        with_circuit_breaker,
    )
    from ._retry import Retry
    from ._retry_budget import RetryBudget
    from ._retry_decorators import async_retry, retry, retry_with_backoff
    from ._telemetry import Event, get_listeners, set_listeners
    from ._throttle import AdaptiveThrottle
    from ._timeout import Timeout, with_timeout
    from ._token_bucket import TokenBucket

# Loaded when first used: nobody pays for a policy that is not used.
_LAZY = {
    "AdaptiveLimiter": "_adaptive",
    "AdaptiveThrottle": "_throttle",
    "Attempt": "_attempts",
    "Batches": "_batches",
    "Bulkhead": "_bulkhead",
    "Chaos": "_chaos",
    "CircuitBreaker": "_breaker",
    "CircuitBreakerConfig": "_breaker_config",
    "CircuitBreakerMetrics": "_permit",
    "CircuitBreakerRegistry": "_registry",
    "CircuitState": "_breaker_config",
    "CountWindow": "_breaker_config",
    "Event": "_telemetry",
    "Fallback": "_fallback",
    "Gradient": "_adaptive",
    "Hedge": "_hedge",
    "LimitAlgorithm": "_adaptive",
    "Permit": "_permit",
    "Pipeline": "_pipeline",
    "Policy": "_policy",
    "ProviderFallback": "_fallback",
    "RateLimiter": "_limiter",
    "RedisCircuitBreaker": "_redis_breaker",
    "RedisRateLimiter": "_redis_limiter",
    "Retry": "_retry",
    "RetryBudget": "_retry_budget",
    "TimeWindow": "_breaker_config",
    "Timeout": "_timeout",
    "TokenBucket": "_token_bucket",
    "Vegas": "_adaptive",
    "async_retry": "_retry_decorators",
    "circuit_breaker": "_registry",
    "deadline": "_deadline",
    "get_circuit_breaker": "_registry",
    "get_listeners": "_telemetry",
    "logging_listener": "_listeners",
    "opentelemetry_listener": "_listeners",
    "process_in_batches": "_batches",
    "prometheus_listener": "_listeners",
    "rate_limit": "_limiter",
    "remaining": "_deadline",
    "reset_circuit_breaker": "_registry",
    "retry": "_retry_decorators",
    "retry_with_backoff": "_retry_decorators",
    "set_listeners": "_telemetry",
    "structlog_listener": "_listeners",
    "with_circuit_breaker": "_registry",
    "with_fallback": "_fallback",
    "with_timeout": "_timeout",
}

__all__ = [
    "AdaptiveLimiter",
    "AdaptiveThrottle",
    "Attempt",
    "Batches",
    "Bulkhead",
    "BulkheadFullError",
    "Chaos",
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitBreakerError",
    "CircuitBreakerMetrics",
    "CircuitBreakerRegistry",
    "CircuitOpenError",
    "CircuitState",
    "CountWindow",
    "Event",
    "Fallback",
    "Gradient",
    "Hedge",
    "LimitAlgorithm",
    "Permit",
    "Pipeline",
    "Policy",
    "ProviderFallback",
    "RateLimitedError",
    "RateLimiter",
    "RedisCircuitBreaker",
    "RedisRateLimiter",
    "ResilienceError",
    "Retry",
    "RetryBudget",
    "RetryBudgetExhausted",
    "TimeWindow",
    "Timeout",
    "TokenBucket",
    "Vegas",
    "async_retry",
    "circuit_breaker",
    "deadline",
    "get_circuit_breaker",
    "get_listeners",
    "logging_listener",
    "opentelemetry_listener",
    "process_in_batches",
    "prometheus_listener",
    "rate_limit",
    "remaining",
    "reset_circuit_breaker",
    "retry",
    "retry_with_backoff",
    "set_listeners",
    "structlog_listener",
    "with_circuit_breaker",
    "with_fallback",
    "with_timeout",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *_LAZY]
