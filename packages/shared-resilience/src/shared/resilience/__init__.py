"""Circuit breaker, retry, timeout, limits, bulkhead, hedging, fallback and pipelines."""

from ._breaker import CircuitBreaker, CircuitBreakerMetrics, Permit
from ._breaker_config import CircuitBreakerConfig, CircuitState, CountWindow, TimeWindow
from ._bulkhead import Bulkhead
from ._deadline import deadline, remaining
from ._errors import (
    BulkheadFullError,
    CircuitBreakerError,
    CircuitOpenError,
    RateLimitedError,
    ResilienceError,
    RetryBudgetExhausted,
)
from ._limiter import RateLimiter, TokenBucket, rate_limit
from ._pipeline import Pipeline
from ._policy import Policy
from ._registry import (
    CircuitBreakerRegistry,
    circuit_breaker,
    get_circuit_breaker,
    reset_circuit_breaker,
    with_circuit_breaker,
)
from ._retry import Attempt, Retry, async_retry, retry, retry_with_backoff
from ._retry_budget import RetryBudget
from ._telemetry import Event, get_listeners, set_listeners
from ._timeout import Timeout, with_timeout

__all__ = [
    "Attempt",
    "Bulkhead",
    "BulkheadFullError",
    "CircuitBreaker",
    "CircuitBreakerConfig",
    "CircuitBreakerError",
    "CircuitBreakerMetrics",
    "CircuitBreakerRegistry",
    "CircuitOpenError",
    "CircuitState",
    "CountWindow",
    "Event",
    "Permit",
    "Pipeline",
    "Policy",
    "RateLimitedError",
    "RateLimiter",
    "ResilienceError",
    "Retry",
    "RetryBudget",
    "RetryBudgetExhausted",
    "TimeWindow",
    "Timeout",
    "TokenBucket",
    "async_retry",
    "circuit_breaker",
    "deadline",
    "get_circuit_breaker",
    "get_listeners",
    "rate_limit",
    "remaining",
    "reset_circuit_breaker",
    "retry",
    "retry_with_backoff",
    "set_listeners",
    "with_circuit_breaker",
    "with_timeout",
]
