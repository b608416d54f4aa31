"""Hooks: what runs at a shutdown, each in a thread of its own so that none can hold up the rest."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import asyncio
    import logging
    from collections.abc import Callable
    from concurrent.futures import Future


def log() -> logging.Logger:
    """Return our logger; logging would be half of the time that our import takes."""
    import logging

    return logging.getLogger("shared.lifecycle")


class HookFailure(NamedTuple):
    """A hook that raised, hung, or could not be started in time."""

    hook: str
    error: BaseException


class ShutdownReport(NamedTuple):
    """What a shutdown did.

    Example:
        >>> report = ShutdownReport("SIGTERM", 5.2, (), 0)
        >>> report.clean, report.exit_code
        (True, 0)
    """

    reason: str
    """The signal's name, or what `trigger` was told."""
    duration: float
    """Seconds from the request to the end."""
    failures: tuple[HookFailure, ...]
    unfinished: int
    """Pieces of tracked work that were still under way at the end."""

    @property
    def clean(self) -> bool:
        """Whether every hook returned and no work was cut off."""
        return not self.failures and not self.unfinished

    @property
    def exit_code(self) -> int:
        """0 after a clean shutdown, 1 otherwise: for ``sys.exit``."""
        return 0 if self.clean else 1


class Hook(NamedTuple):
    """A registered function."""

    fn: Callable[..., Any]
    priority: int = 0
    timeout: float | None = None
    wants_seconds: bool = False

    @property
    def name(self) -> str:
        """The function's name, as precise as it has one."""
        fn = self.fn
        fn = getattr(fn, "func", fn)  # functools.partial
        return getattr(fn, "__qualname__", None) or type(fn).__qualname__


def has_seconds(fn: Callable[..., Any]) -> bool:
    """Whether a function has a parameter called ``seconds``."""
    import inspect

    try:
        return "seconds" in inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return False


class Run:
    """One call of a hook, under way in its own daemon thread.

    What it returns is awaited on `loop` if that still turns, else on a loop of its own.
    """

    def __init__(
        self, hook: Hook, loop: asyncio.AbstractEventLoop | None, seconds: float = 0.0
    ) -> None:
        self.hook = hook
        self._loop = loop
        self._arguments = {"seconds": seconds} if hook.wants_seconds else {}
        self._done = threading.Event()
        self._error: BaseException | None = None
        self._future: Future[Any] | None = None
        name = f"shutdown-hook:{hook.name}"
        threading.Thread(target=self._call, name=name, daemon=True).start()

    def _call(self) -> None:
        try:
            result = self.hook.fn(**self._arguments)
            if hasattr(result, "__await__"):
                self._await(result)
        except BaseException as error:  # noqa: BLE001  reported, whatever a hook raises
            self._error = error
        finally:
            self._done.set()

    def _await(self, awaitable: Any) -> None:
        import asyncio

        async def body() -> None:
            await awaitable

        if self._loop is None or not self._loop.is_running():
            asyncio.run(body())
            return
        self._future = asyncio.run_coroutine_threadsafe(body(), self._loop)
        self._future.result()

    def wait(self, timeout: float) -> HookFailure | None:
        """Wait for the hook; give it up after `timeout` seconds. Return what went wrong."""
        if not self._done.wait(max(0.0, timeout)):
            if self._future is not None:
                self._future.cancel()
            error: BaseException | None = TimeoutError(f"did not return within {timeout:.3g} s")
        else:
            error = self._error
        if error is None:
            return None
        log().error("shutdown hook %s failed: %r", self.hook.name, error, exc_info=error)
        return HookFailure(self.hook.name, error)
