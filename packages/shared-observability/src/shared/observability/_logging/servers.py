"""The loggers of web servers, which bring their own consoles: plain text beside our lines."""

from __future__ import annotations

import logging
import sys
from typing import Final

_SERVERS: Final = frozenset(
    ["uvicorn", "gunicorn", "hypercorn", "granian", "_granian", "daphne", "waitress", "werkzeug"]
)


def take_over() -> None:
    """Let servers' loggers end at the root logger; their files stay."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in _SERVERS and isinstance(logger, logging.Logger):
            consoles = [handler for handler in logger.handlers if is_console(handler)]
            for handler in consoles:
                logger.removeHandler(handler)
            if consoles or not logger.handlers:
                logger.propagate = True


def is_console(handler: logging.Handler) -> bool:
    """Whether a handler writes to standard output or error."""
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    stream = getattr(handler, "stream", None)
    return isinstance(handler, logging.StreamHandler) and stream is not None and stream in streams
