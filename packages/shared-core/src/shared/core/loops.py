"""Which event loop runs here, and awaiting from plain threads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, or None; does not import asyncio."""
    module: Any = sys.modules.get("asyncio")
    loop: asyncio.AbstractEventLoop | None = module and module._get_running_loop()  # noqa: SLF001 - the public one raises
    return loop


class Awaiter:
    """Awaits in a plain thread: on the event loop that things belong to, or on its own.

    A client that was made on a loop works only there. Its own loop starts with the first
    awaitable and lives until `close`: what was made on it may be used again.

    Args:
        loop: Where to await; None, or closed by then: on its own loop.

    Example:
        >>> import asyncio
        >>> awaiter = Awaiter()
        >>> awaiter.run(asyncio.sleep(0, "done")), awaiter.run("plain")
        ('done', 'plain')
        >>> awaiter.close()
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._runner: asyncio.Runner | None = None
        self._future: Future[Any] | None = None
        self._cancelled = False

    def run(self, result: Any) -> Any:
        """Return what a plain or an async function gave: an awaitable is awaited.

        Raises:
            RuntimeError: The loop was closed meanwhile, or it runs in this very thread.
        """
        if not hasattr(result, "__await__"):
            return result
        import asyncio
        from concurrent.futures import TimeoutError as NotYetError

        body = _body(result)
        if self._loop is None or self._loop.is_closed():
            self._runner = self._runner or asyncio.Runner()
            return self._runner.run(body)
        if self._loop is running_loop():
            _drop(body, result)
            raise RuntimeError("await it: waiting here would block the event loop that it needs")
        self._future = asyncio.run_coroutine_threadsafe(body, self._loop)
        if self._cancelled:  # meanwhile
            self._future.cancel()
        while True:
            try:
                return self._future.result(1.0)
            except NotYetError:
                if self._future.done():
                    raise
                if self._loop.is_closed():
                    _drop(body, result)
                    raise RuntimeError("the event loop was closed") from None

    def cancel(self) -> None:
        """Cancel what is awaited on the given loop, now or later; from any thread."""
        self._cancelled = True
        if self._future is not None:
            self._future.cancel()

    def close(self) -> None:
        """Close its own loop, if there is one; in the thread that used it."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None


async def _body(awaitable: Any) -> Any:
    return await awaitable


def _drop(*coroutines: Any) -> None:
    for coroutine in coroutines:  # they will never run
        getattr(coroutine, "close", bool)()
