"""Our logger as structlog's `wrapper_class`."""

from __future__ import annotations

from typing import Any

from ._context import EMPTY, Bound
from ._logger import Logger
from ._state import REGISTRY, Core


class StructlogLogger(Logger):
    """What `structlog.get_logger()` hands out once logging is configured."""

    __slots__ = ()

    def __init__(self, logger: Core, processors: Any = None, context: Any = None) -> None:
        """Follow structlog's protocol for wrapper classes."""
        del processors  # the pipeline is ours
        super().__init__(logger, Bound(dict(context)) if context else EMPTY)

    @property
    def _context(self) -> dict[str, Any]:
        return dict(self._bound.raw)


def make_core(*args: Any) -> Core:
    """Structlog's `logger_factory`: the first positional argument is the name."""
    return REGISTRY.core(str(args[0]) if args else "root")
