"""Under pytest, the `caplog` fixture sees our lines too."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING, Any

from .._base.levels import LEVELS
from .._record.context import CONTEXT
from .._record.exceptions import find_exception
from .._record.fields import clean_field, interpolate
from .._redaction.texts import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._redaction.sanitizer import Sanitizer


def with_caplog(emit: Callable[..., None], sanitizer: Sanitizer) -> Callable[..., None]:
    """Return `emit`, with a copy of each line for pytest's handlers; without pytest, `emit` itself."""
    if "_pytest.logging" not in sys.modules:
        return emit

    def emit_both(
        name: str, bound: Any, level: str, event: Any, args: Any, kw: Any, frame: Any, foreign: Any = None
    ) -> None:  # fmt: skip
        if foreign is None:  # else standard logging has passed it on itself
            root = logging.getLogger()
            theirs = [one for one in root.handlers if type(one).__module__ == "_pytest.logging"]
            if theirs:
                with contextlib.suppress(Exception):  # logging must not fail its caller
                    record = _record(name, bound, level, event, args, kw, frame, sanitizer)
                    for handler in theirs:
                        if record.levelno >= handler.level:
                            handler.handle(record)
        emit(name, bound, level, event, args, kw, frame, foreign)

    return emit_both


def _record(
    name: str, bound: Any, level: str, event: Any, args: Any, kw: Any, frame: Any, sanitizer: Sanitizer
) -> logging.LogRecord:  # fmt: skip
    message = sanitizer.text(text_of(interpolate(event, args, sanitizer) if args else event))
    error = find_exception(kw.get("exc_info"))
    exc_info = (type(error), error, error.__traceback__) if error is not None else None
    code = frame.f_code
    record = logging.LogRecord(
        name, LEVELS[level], code.co_filename, frame.f_lineno, message, (), exc_info, code.co_name
    )
    fields = {key: clean_field(key, value, sanitizer) for key, value in kw.items()}
    for key, value in {**CONTEXT.get().clean(), **bound.clean(), **fields}.items():
        if key != "exc_info" and not hasattr(record, key):
            setattr(record, key, value)
    return record
