from ._base.settings import StoreSettings
from ._base.store import Store
from ._start.clickhouse import clickhouse
from ._start.postgres import postgres
from ._start.qdrant import qdrant
from ._start.redis import redis, sentinel

__all__ = ["Store", "StoreSettings", "clickhouse", "postgres", "qdrant", "redis", "sentinel"]
