"""Graceful shutdown and resource pools.

Example:
    >>> from shared.lifecycle import GracefulShutdown
    >>> shutdown = GracefulShutdown(drain_delay=0)
    >>> @shutdown.on_shutdown
    ... def close():
    ...     print("closed")
    >>> shutdown.trigger()
    >>> report = shutdown.join()
    closed
    >>> report.exit_code
    0
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._container import (
        CircularDependency,
        Container,
        ContainerClosed,
        ContainerError,
        NotRegistered,
    )
    from ._hooks import HookFailure, ShutdownReport
    from ._managed import managed
    from ._pool import ConnectionPool, ConnectionPoolConfig, Lease, PoolStats, ResourcePool
    from ._pool_errors import PoolClosed, PoolError, PoolNotFound, PoolTimeout
    from ._registry import (
        aclose_pools,
        ainitialize_pools,
        close_pools,
        get_pool,
        initialize_pools,
        pooled_resource,
        register_pool,
    )
    from ._shutdown import GracefulShutdown, Tracked
    from ._systemd import sd_notify

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

# Loaded when first used: a worker that only wants the shutdown does not pay for pools.
_HOMES = {
    "_container": {
        "CircularDependency",
        "Container",
        "ContainerClosed",
        "ContainerError",
        "NotRegistered",
    },
    "_hooks": {"HookFailure", "ShutdownReport"},
    "_managed": {"managed"},
    "_pool": {"ConnectionPool", "ConnectionPoolConfig", "Lease", "PoolStats", "ResourcePool"},
    "_pool_errors": {"PoolClosed", "PoolError", "PoolNotFound", "PoolTimeout"},
    "_registry": {
        "aclose_pools",
        "ainitialize_pools",
        "close_pools",
        "get_pool",
        "initialize_pools",
        "pooled_resource",
        "register_pool",
    },
    "_shutdown": {"GracefulShutdown", "Tracked"},
    "_systemd": {"sd_notify"},
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
