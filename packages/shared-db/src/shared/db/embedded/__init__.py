"""Real stores with pip alone: no Docker, no root, nothing left behind.

Each function starts a server of its own on a free port of this machine and waits until it
answers. Needs the extra ``embedded``.

Example:
    >>> from shared.db import embedded
    >>> with embedded.redis() as store:
    ...     store.url
    'redis://:...@127.0.0.1:.../0'
"""

from ._clickhouse import clickhouse
from ._postgres import postgres
from ._qdrant import qdrant
from ._redis import redis, sentinel
from ._settings import StoreSettings
from ._store import Store

__all__ = ["Store", "StoreSettings", "clickhouse", "postgres", "qdrant", "redis", "sentinel"]
