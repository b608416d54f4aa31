"""Standard logging into the pipeline."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from .._base.levels import LEVEL_NAMES, level_name
from .._record.context import EMPTY
from .state import STATE

if TYPE_CHECKING:
    from .._output.pipeline import Pipeline

FIELDS: Final = "_shared_fields"  # one key for ours: `extra` forbids the record's own names
_plain = logging.LogRecord("", 0, "", 0, "", (), None).__dict__
_STANDARD: Final = frozenset([*_plain, "message", "asctime", "taskName"])
_COUNT: Final = len(_plain)
_LAST: Final = list(_plain)[-1]
_ODD: Final = frozenset(["message", "asctime", "taskName", FIELDS])


def _extra(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return what `extra=` put into a record: it comes after the standard attributes."""
    extra = dict(islice(attributes.items(), _COUNT, None))
    if next(islice(attributes, _COUNT - 1, None)) != _LAST or not _ODD.isdisjoint(extra):
        extra = {key: value for key, value in attributes.items() if key not in _STANDARD}
        own = extra.pop(FIELDS, None)
        if own is not None:
            extra.update(own)
    return extra


class PipelineHandler(logging.Handler):
    """Sends records of standard logging through the pipeline.

    Args:
        pipeline: Where to send them; None means the active one when the record arrives.
    """

    def __init__(self, pipeline: Pipeline | None = None) -> None:
        super().__init__()
        self.pipeline = pipeline

    def createLock(self) -> None:  # noqa: N802 - the name in the standard library
        """Use no lock: the sink has one that survives forks and signal handlers."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Send one record; never raises."""
        if self.filters:
            passed: Any = self.filter(record)
            if not passed:
                return False
            if isinstance(passed, logging.LogRecord):  # replaced, since Python 3.12
                record = passed
        attributes = record.__dict__
        kw = _extra(attributes) if len(attributes) != _COUNT else {}
        if kw and record.name.startswith("uvicorn"):
            kw.pop("color_message", None)  # the message again, for a terminal
        if record.exc_info:
            kw["exc_info"] = record.exc_info
        if record.stack_info:
            kw["stack_info"] = record.stack_info
        args: Any = record.args or ()
        if type(args) is not tuple:  # the standard library unpacks a single dict
            args = (args,)
        name = LEVEL_NAMES.get(record.levelno) or level_name(record.levelno)
        pipeline = STATE.capture or self.pipeline
        send = pipeline.emit if pipeline else STATE.emit
        send(record.name, EMPTY, name, record.msg, args, kw, None, record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, like `handle`."""
        self.handle(record)
