from ._base.errors import (
    BulkheadFullError,
    CircuitOpenError,
    RateLimitedError,
    ResilienceError,
    RetryBudgetExhausted,
)
from ._breaker.breaker import CircuitBreaker
from ._breaker.config import CircuitBreakerConfig, CircuitState, CountWindow, TimeWindow
from ._breaker.permit import CircuitBreakerMetrics, Permit
from ._breaker.registry import CircuitBreakerRegistry, circuit_breaker
from ._events.event import Event
from ._events.listeners import (
    logging_listener,
    opentelemetry_listener,
    prometheus_listener,
    structlog_listener,
)
from ._events.telemetry import get_listeners, set_listeners
from ._instead.batches import Batches, process_in_batches
from ._instead.chaos import Chaos
from ._instead.fallback import Fallback, ProviderFallback, with_fallback
from ._legacy import (
    CircuitBreakerError,
    async_retry,
    get_circuit_breaker,
    get_fallback,
    reset_circuit_breaker,
    retry_with_backoff,
    with_circuit_breaker,
)
from ._limits.adaptive import AdaptiveLimiter, Gradient, LimitAlgorithm, Vegas
from ._limits.bulkhead import Bulkhead
from ._limits.limiter import RateLimiter, rate_limit
from ._limits.throttle import AdaptiveThrottle
from ._limits.token_bucket import TokenBucket
from ._pipeline import Pipeline
from ._policy.policy import Policy
from ._redis.breaker import RedisCircuitBreaker
from ._redis.limiter import RedisRateLimiter
from ._repeat.attempts import Attempt
from ._repeat.budget import RetryBudget
from ._repeat.hedge import Hedge
from ._repeat.retry import Retry, retry
from ._time.block import Timeout
from ._time.deadline import deadline, remaining
from ._time.timeout import with_timeout

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
    "get_fallback",
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
