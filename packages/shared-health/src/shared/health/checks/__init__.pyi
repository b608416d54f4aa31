from ._ai import ai_provider
from ._host import disk, memory
from ._http import http
from ._stores import clickhouse, postgres, qdrant, redis

__all__ = ["ai_provider", "clickhouse", "disk", "http", "memory", "postgres", "qdrant", "redis"]
