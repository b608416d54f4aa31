"""PostgreSQL, ClickHouse, Qdrant and Redis: pools, batch writer, locks and embedded stores."""

__all__: list[str] = []
