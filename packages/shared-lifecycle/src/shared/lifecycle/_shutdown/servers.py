"""Stop the server that handled the signals before us."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio


class Stopper(Protocol):
    """Stops a server; with `force`, without waiting for its requests."""

    def __call__(self, *, force: bool) -> None:
        """Stop it, from any thread."""


def stopper_of(previous: dict[int, Any], loop: asyncio.AbstractEventLoop | None) -> Stopper | None:
    """Find the server behind the previous signal handlers.

    uvicorn's is a bound method of its server. If called, it would record the signal, and
    uvicorn raises a recorded signal again when it is done: the process would die of
    SIGTERM after a clean shutdown. Its flag stops it just as well and is not recorded.
    """
    handler = previous.get(signal.SIGTERM)
    server: Any = getattr(handler, "__self__", None)
    if hasattr(server, "should_exit"):

        def stop_flagged(*, force: bool) -> None:
            server.should_exit = True
            if force:
                server.force_exit = True
                # From Python 3.12 on a server also waits for its connections to close.
                if loop is not None and not loop.is_closed():
                    loop.call_soon_threadsafe(_cut, server)

        return stop_flagged
    # asyncio's handler is a no-op that stands for one of the loop's handlers.
    if callable(handler) and loop is not None and handler.__module__ != "asyncio.unix_events":

        def stop_handled(*, force: bool) -> None:
            if not force:
                loop.call_soon_threadsafe(handler, signal.SIGTERM, None)

        return stop_handled
    return None


def _cut(server: Any) -> None:
    """End what is still in progress; on the server's loop."""
    state = getattr(server, "server_state", None)
    for task in list(getattr(state, "tasks", ())):
        task.cancel()
    for connection in list(getattr(state, "connections", ())):
        transport = getattr(connection, "transport", None)
        if transport is not None:
            transport.abort()
