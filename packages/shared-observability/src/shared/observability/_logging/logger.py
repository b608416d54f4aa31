"""The logger: structlog's interface, with a level test in each method and one pass behind it.

Hot: a call that is filtered out costs little more than an empty method.
"""

from __future__ import annotations

import sys
from typing import Any

from shared.core import checks

from .._base.levels import LEVEL_NAMES, Core, level_name, parse_level
from .._record.context import EMPTY, Bound
from .state import STATE

_frame = sys._getframe  # noqa: SLF001 - the only cheap way to the caller


class Logger:
    """A logger with bound fields; created by `get_logger`.

    Every method accepts a message, optional `%` arguments, and fields as keyword arguments.
    `exc_info=True` (or an exception) adds the field `exception`. A level change also reaches
    existing loggers.

    Example:
        >>> log = get_logger("doc").bind(order_id=7)
        >>> log.debug("not shown at INFO", step=1)
    """

    __slots__ = ("_bound", "_core")

    def __init__(self, core: Core, bound: Bound = EMPTY) -> None:
        self._core = core
        self._bound = bound

    @property
    def name(self) -> str:
        """The logger's name."""
        return self._core.name

    def __repr__(self) -> str:
        return f"<Logger {self._core.name!r} {LEVEL_NAMES.get(self._core.level, self._core.level)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy by name: the pipeline stays where it is."""
        return get_logger, (self._core.name,), dict(self._bound.raw)

    def __setstate__(self, fields: dict[str, Any]) -> None:
        self._bound = Bound(fields) if fields else EMPTY

    def bind(self, **fields: Any) -> Logger:
        """Return a logger that adds these fields to each of its lines."""
        return self._with({**self._bound.raw, **fields})

    def unbind(self, *names: str) -> Logger:
        """Return a logger without these fields.

        Raises:
            KeyError: A field is not bound.
        """
        raw = dict(self._bound.raw)
        for name in names:
            del raw[name]
        return self._with(raw)

    def try_unbind(self, *names: str) -> Logger:
        """Return a logger without these fields, bound or not."""
        return self._with({k: v for k, v in self._bound.raw.items() if k not in names})

    def new(self, **fields: Any) -> Logger:
        """Return a logger with these fields only."""
        return self._with(fields)

    def _with(self, fields: dict[str, Any]) -> Logger:
        logger = object.__new__(type(self))
        logger._core, logger._bound = self._core, Bound(fields)
        return logger

    def is_enabled_for(self, level: int | str) -> bool:
        """Whether a line of this level would be written."""
        return parse_level(level) >= self._core.level

    def debug(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at DEBUG."""
        core = self._core
        if core.level <= 10:
            STATE.emit(core.name, self._bound, "debug", event, args, kw, _frame(1))

    def info(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at INFO."""
        core = self._core
        if core.level <= 20:
            STATE.emit(core.name, self._bound, "info", event, args, kw, _frame(1))

    def warning(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at WARNING."""
        core = self._core
        if core.level <= 30:
            STATE.emit(core.name, self._bound, "warning", event, args, kw, _frame(1))

    def error(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at ERROR."""
        core = self._core
        if core.level <= 40:
            STATE.emit(core.name, self._bound, "error", event, args, kw, _frame(1))

    def critical(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at CRITICAL."""
        core = self._core
        if core.level <= 50:
            STATE.emit(core.name, self._bound, "critical", event, args, kw, _frame(1))

    def exception(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at ERROR with the exception being handled."""
        core = self._core
        if core.level <= 40:
            kw.setdefault("exc_info", True)
            STATE.emit(core.name, self._bound, "error", event, args, kw, _frame(1))

    def log(self, level: int | str, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at a level given by name or number.

        Raises:
            ValueError: The level is unknown.
        """
        number = parse_level(level)
        if self._core.level <= number:
            name = level_name(number)
            STATE.emit(self._core.name, self._bound, name, event, args, kw, _frame(1))

    warn = warning
    fatal = critical
    msg = info

    # Structlog's asynchronous names. A line is one write: there is nothing to wait for.

    async def adebug(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at DEBUG."""
        self._write(10, event, args, kw)

    async def ainfo(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at INFO."""
        self._write(20, event, args, kw)

    async def awarning(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at WARNING."""
        self._write(30, event, args, kw)

    async def aerror(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at ERROR."""
        self._write(40, event, args, kw)

    async def acritical(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at CRITICAL."""
        self._write(50, event, args, kw)

    async def aexception(self, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at ERROR with the exception being handled."""
        kw.setdefault("exc_info", True)
        self._write(40, event, args, kw)

    async def alog(self, level: int | str, event: object = "", /, *args: Any, **kw: Any) -> None:
        """Log at a level given by name or number; a ValueError if it is unknown."""
        self._write(parse_level(level), event, args, kw)

    awarn = awarning
    afatal = acritical
    amsg = ainfo

    def _write(self, number: int, event: object, args: Any, kw: dict[str, Any]) -> None:
        core = self._core
        if core.level <= number:
            STATE.emit(core.name, self._bound, level_name(number), event, args, kw, _frame(2))


def get_logger(name: str = "") -> Logger:
    """Return the logger with this name; it works before and after any configuration.

    Args:
        name: Usually `__name__`; levels are inherited along the dots.

    Raises:
        TypeError: The name is not a string.

    Example:
        >>> get_logger("shop.orders").name
        'shop.orders'
    """
    return Logger(STATE.levels.core(checks.text("name", name) or "root"))
