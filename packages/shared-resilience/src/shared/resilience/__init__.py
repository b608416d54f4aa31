"""Circuit breaker, retry, timeout, limits, bulkhead, hedging, fallback and pipelines."""

from ._adaptive import AdaptiveLimiter, Gradient, LimitAlgorithm, Vegas
from ._attempts import Attempt
from ._batches import Batches, process_in_batches
from ._breaker import CircuitBreaker
from ._breaker_config import CircuitBreakerConfig, CircuitState, CountWindow, TimeWindow
from ._bulkhead import Bulkhead
from ._chaos import Chaos
from ._circuit import CircuitBreakerMetrics, Permit
from ._deadline import deadline, remaining
from ._errors import (
    BulkheadFullError,
    CircuitBreakerError,
    CircuitOpenError,
    RateLimitedError,
    ResilienceError,
    RetryBudgetExhausted,
)
from ._fallback import Fallback, ProviderFallback, with_fallback
from ._hedge import Hedge
from ._limiter import RateLimiter, TokenBucket, rate_limit
from ._listeners import (
    logging_listener,
    opentelemetry_listener,
    prometheus_listener,
    structlog_listener,
)
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
