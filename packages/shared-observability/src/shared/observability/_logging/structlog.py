"""Our logger as structlog's `wrapper_class`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._record.context import EMPTY, Bound
from .logger import Logger
from .state import STATE

if TYPE_CHECKING:
    from .._base.levels import Core


class StructlogLogger(Logger):
    """What `structlog.get_logger()` returns once logging is configured."""

    __slots__ = ()

    def __init__(self, logger: Core, processors: Any = None, context: Any = None) -> None:
        """Follow structlog's protocol for wrapper classes."""
        del processors  # the pipeline is ours
        super().__init__(logger, Bound(dict(context)) if context else EMPTY)

    @property
    def _context(self) -> dict[str, Any]:
        return dict(self._bound.raw)


def make_core(*args: Any) -> Core:
    """Return a logger's core, as structlog's `logger_factory`; the first argument is the name."""
    return STATE.levels.core(str(args[0]) if args else "root")
