"""PostgreSQL, ClickHouse, Qdrant and Redis: pools, batch writer, locks and embedded stores."""

from shared.core.faces import face

__getattr__, __dir__, __all__ = face(__name__)
