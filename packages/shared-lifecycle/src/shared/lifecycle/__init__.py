"""Graceful shutdown and resource pools.

Example:
    >>> from shared.lifecycle import GracefulShutdown
    >>> shutdown = GracefulShutdown(drain_delay=0)
    >>> shutdown.on_shutdown(lambda: print("closed"))
    <function <lambda> at ...>
    >>> shutdown.trigger()
    >>> report = shutdown.join()
    closed
    >>> report.exit_code
    0
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._hooks import HookFailure, ShutdownReport
    from ._shutdown import GracefulShutdown
    from ._systemd import sd_notify

__all__ = ["GracefulShutdown", "HookFailure", "ShutdownReport", "sd_notify"]

# Loaded when first used: a worker pays for no more than it takes.
_HOMES = {
    "GracefulShutdown": "_shutdown",
    "HookFailure": "_hooks",
    "ShutdownReport": "_hooks",
    "sd_notify": "_systemd",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
