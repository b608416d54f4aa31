"""Circuit breaker, retry, timeout, limits, bulkhead, hedging, fallback and pipelines."""

__all__: list[str] = []
