"""capture_logs: the lines of a block as dicts, for tests."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from .._base.levels import parse_level
from .._output.pipeline import Pipeline
from .._output.sink import Sink
from .._redaction.active import get_sanitizer
from .state import STATE
from .stdlib import PipelineHandler

if TYPE_CHECKING:
    from collections.abc import Iterator


class _ListSink(Sink):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []

    def _put(self, data: bytes) -> None:
        self.records.append(orjson.loads(data))


@contextmanager
def capture_logs(level: int | str | None = None) -> Iterator[list[dict[str, Any]]]:
    """Collect every line logged inside the block instead of writing it.

    It collects lines of all threads, from our loggers, standard ones and structlog's, with the
    content of the JSON format, redaction included. It works without any configuration.

    Args:
        level: The root level inside the block; None leaves the levels unchanged.

    Yields:
        The list, which fills with one dict per line.

    Example:
        >>> from shared.observability import get_logger
        >>> with capture_logs() as logs:
        ...     get_logger("orders").info("placed", order_id=7)
        >>> logs[0]["message"], logs[0]["order_id"]
        ('placed', 7)
    """
    sink = _ListSink()
    service = STATE.pipeline.service if STATE.pipeline else None
    before = STATE.capture
    root = logging.getLogger()
    root_level, our_level = root.level, STATE.levels.effective("")
    handler = None
    if not any(isinstance(known, PipelineHandler) for known in root.handlers):
        handler = PipelineHandler()
        root.addHandler(handler)
    if level is not None:
        number = parse_level(level)
        root.setLevel(number)
        STATE.levels.set(number)
    STATE.capture = Pipeline(sink, get_sanitizer(), service=service)
    STATE.use()
    try:
        yield sink.records
    finally:
        STATE.capture = before
        STATE.use()
        if handler is not None:
            root.removeHandler(handler)
        if level is not None:
            root.setLevel(root_level)
            STATE.levels.set(our_level)
