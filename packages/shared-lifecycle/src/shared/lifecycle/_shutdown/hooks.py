"""Hooks: what runs at a shutdown, each in its own thread so that none can delay the rest."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.core import checks
from shared.core.callables import describe, kind_of
from shared.core.loops import Awaiter

from .times import limit

if TYPE_CHECKING:
    import asyncio
    import logging
    from collections.abc import Callable


def log() -> logging.Logger:
    """Return our logger; logging would be half of the time that our import takes."""
    import logging

    return logging.getLogger("shared.lifecycle")


class HookFailure(NamedTuple):
    """A hook that raised, hung, or could not be started in time."""

    hook: str
    error: BaseException


class ShutdownReport(NamedTuple):
    """The result of a shutdown.

    Example:
        >>> report = ShutdownReport("SIGTERM", 5.2, (), 0)
        >>> report.clean, report.exit_code
        (True, 0)
    """

    reason: str
    """The signal's name, or the reason passed to `trigger`."""
    duration: float
    """Seconds from the request to the end."""
    failures: tuple[HookFailure, ...]
    unfinished: int
    """Pieces of tracked work that were still in progress at the end."""

    @property
    def clean(self) -> bool:
        """Whether every hook returned and no work was cut off."""
        return not self.failures and not self.unfinished

    @property
    def exit_code(self) -> int:
        """0 after a clean shutdown, 1 otherwise: for `sys.exit`."""
        return 0 if self.clean else 1


class Hook(NamedTuple):
    """A registered function."""

    fn: Callable[..., Any]
    priority: int = 0
    timeout: float | None = None
    wants_seconds: bool = False

    @property
    def name(self) -> str:
        """The function's name."""
        return describe(self.fn)


def made_hook(
    what: str, fn: Any, priority: int = 0, timeout: float | None = None, *, seconds: bool = False
) -> Hook:
    """Return a hook; a TypeError for what cannot be called without arguments.

    With `seconds`, it may have a parameter of that name.
    """
    import inspect

    checks.function(what, fn)
    if kind_of(fn).endswith("generator"):
        raise checks.refuse(what, "a function that returns, not one that yields", fn, TypeError)
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):  # a function of C
        parameters = {}  # type: ignore[assignment]
    wants_seconds = seconds and "seconds" in parameters
    various = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    for name, one in parameters.items():
        known = wants_seconds and name == "seconds"
        if not known and one.default is one.empty and one.kind not in various:
            raise checks.refuse(what, f"callable without arguments ({name})", fn, TypeError)
    return Hook(fn, priority, timeout, wants_seconds)


class Run:
    """One call of a hook, in progress in its own daemon thread.

    What it returns is awaited on `loop` if that still runs, else on its own loop.
    """

    def __init__(
        self, hook: Hook, loop: asyncio.AbstractEventLoop | None, seconds: float = 0.0
    ) -> None:
        self.hook = hook
        self._arguments = {"seconds": seconds} if hook.wants_seconds else {}
        self._awaiter = Awaiter(loop if loop is not None and loop.is_running() else None)
        self._done = threading.Event()
        self._error: BaseException | None = None
        name = f"shutdown-hook:{hook.name}"
        threading.Thread(target=self._call, name=name, daemon=True).start()

    def _call(self) -> None:
        try:
            with closing(self._awaiter):
                self._awaiter.run(self.hook.fn(**self._arguments))
        except BaseException as error:  # noqa: BLE001 - reported, whatever a hook raises
            self._error = error
        finally:
            self._done.set()

    def wait(self, timeout: float) -> HookFailure | None:
        """Wait for the hook, but no longer than `timeout` seconds (inf: no limit). Return what went wrong."""
        if self._done.wait(limit(timeout)):
            error = self._error
        else:
            self._awaiter.cancel()
            error = TimeoutError(f"did not return within {timeout:.3g} s")
        if error is None:
            return None
        log().error("shutdown hook %s failed: %r", self.hook.name, error, exc_info=error)
        return HookFailure(self.hook.name, error)
