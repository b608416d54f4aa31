"""An exception as data: a list of plain dicts, the raised one first, without locals."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from .._redaction.texts import encodable, text_of

if TYPE_CHECKING:
    from types import TracebackType

    from .._redaction.sanitizer import Sanitizer

MAX_FRAMES: Final = 30  # of one exception: the first and the last half
MAX_CHAIN: Final = 10
MAX_GROUP: Final = 10
MAX_GROUP_DEPTH: Final = 4


def find_exception(exc_info: object) -> BaseException | None:
    """Return the exception that `exc_info=` of a logging call refers to, if any."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return next((part for part in exc_info if isinstance(part, BaseException)), None)
    return sys.exc_info()[1] if exc_info else None


def describe(error: BaseException, sanitizer: Sanitizer, depth: int = 0) -> list[dict[str, Any]]:
    """Describe an exception and what led to it.

    Args:
        error: The exception.
        sanitizer: Cleans its message and notes.
        depth: How deep inside exception groups it is.

    Returns:
        One dict per exception of the chain, the raised one first. `cause` is how the next in
        the list led to this one: "cause" (raise from), "context" (raised while handling) or
        None. `suppressed` is True if `raise ... from None` hid a context. `group` holds the
        descriptions of an exception group's members.
    """
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(chain) < MAX_CHAIN:
        seen.add(id(current))
        entry, following = _one(current, sanitizer, depth)
        chain.append(entry)
        current = following
    return chain


def _one(
    error: BaseException, sanitizer: Sanitizer, depth: int
) -> tuple[dict[str, Any], BaseException | None]:
    kind = type(error)
    cause, context = error.__cause__, error.__context__
    suppressed = error.__suppress_context__ and cause is None and context is not None
    following = cause if cause is not None else None if suppressed else context
    entry: dict[str, Any] = {
        "type": encodable(kind.__qualname__),
        "message": encodable(sanitizer.text(text_of(error))),
        "module": encodable(str(kind.__module__)),
        "frames": _frames(error.__traceback__),
        "cause": "cause" if cause is not None else "context" if following is not None else None,
        "suppressed": suppressed,
        "group": None,
    }
    notes = getattr(error, "__notes__", None)
    if isinstance(notes, list) and notes:
        entry["notes"] = [encodable(sanitizer.text(text_of(note))) for note in notes[:MAX_GROUP]]
    if isinstance(error, BaseExceptionGroup) and depth < MAX_GROUP_DEPTH:
        members = error.exceptions
        entry["group"] = [describe(member, sanitizer, depth + 1) for member in members[:MAX_GROUP]]
        if len(members) > MAX_GROUP:
            entry["group_cut"] = len(members) - MAX_GROUP
    return entry, following


def _frames(traceback: TracebackType | None) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    tail: list[dict[str, Any]] = []
    count = 0
    half = MAX_FRAMES // 2
    while traceback is not None:
        code = traceback.tb_frame.f_code
        where = {
            "file": encodable(code.co_filename),
            "line": traceback.tb_lineno,
            "function": encodable(code.co_name),
        }
        if count < half:
            frames.append(where)
        else:
            tail.append(where)
            if len(tail) > half:
                del tail[0]
        count += 1
        traceback = traceback.tb_next
    if count > MAX_FRAMES:
        frames.append(
            {"file": f"... {count - MAX_FRAMES} frames cut ...", "line": 0, "function": ""}
        )
    return frames + tail
