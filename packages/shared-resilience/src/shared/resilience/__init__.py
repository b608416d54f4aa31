"""Circuit breaker, retry, timeout, limits, bulkhead, hedging, fallback and pipelines."""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
