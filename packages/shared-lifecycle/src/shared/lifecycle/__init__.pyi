from ._container import (
    CircularDependency,
    Container,
    ContainerClosed,
    ContainerError,
    NotRegistered,
)
from ._managed import managed
from ._pool.errors import PoolClosed, PoolError, PoolNotFound, PoolTimeout
from ._pool.legacy import ConnectionPool
from ._pool.pool import ConnectionPoolConfig, Lease, PoolStats, ResourcePool
from ._pool.registry import (
    aclose_pools,
    ainitialize_pools,
    close_pools,
    get_pool,
    initialize_pools,
    pooled_resource,
    register_pool,
)
from ._shutdown.hooks import HookFailure, ShutdownReport
from ._shutdown.shutdown import GracefulShutdown
from ._shutdown.systemd import sd_notify
from ._shutdown.work import Tracked

__all__ = [
    "CircularDependency",
    "ConnectionPool",
    "ConnectionPoolConfig",
    "Container",
    "ContainerClosed",
    "ContainerError",
    "GracefulShutdown",
    "HookFailure",
    "Lease",
    "NotRegistered",
    "PoolClosed",
    "PoolError",
    "PoolNotFound",
    "PoolStats",
    "PoolTimeout",
    "ResourcePool",
    "ShutdownReport",
    "Tracked",
    "aclose_pools",
    "ainitialize_pools",
    "close_pools",
    "get_pool",
    "initialize_pools",
    "managed",
    "pooled_resource",
    "register_pool",
    "sd_notify",
]
