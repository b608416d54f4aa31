"""Fields and messages ready for a line: names without clashes, values without secrets."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.core.redaction import MARKER, SECRET

from .._redaction.texts import SCALARS, encodable, text_of

if TYPE_CHECKING:
    from types import FrameType

    from .._redaction.sanitizer import Sanitizer

Record = dict[str, Any]
RESERVED: Final = frozenset(
    [
        *("timestamp", "level", "logger", "message", "module", "function", "line", "exception"),
        *("trace_id", "span_id", "correlation_id", "service"),
    ]
)
_OURS: Final = (
    "shared.observability.",
    "shared.core.",
)  # compared with a dot after the package's name


def interpolate(event: Any, args: tuple[Any, ...], sanitizer: Sanitizer) -> str:
    """Return `event % args`, with containers and objects among the arguments cleaned first."""
    try:
        for arg in args:
            if type(arg) is not str and type(arg) not in SCALARS:
                clean = tuple(sanitizer.clean(arg) for arg in args)
                if len(clean) == 1 and isinstance(clean[0], Mapping) and clean[0]:
                    return text_of(event) % clean[0]
                return text_of(event) % clean
        return event % args if type(event) is str else text_of(event) % args
    except Exception:  # noqa: BLE001 - a wrong format shows its parts instead
        return f"{text_of(event)} {sanitizer.jsonable(args)}"


def field_name(key: Any, sanitizer: Sanitizer, given: Mapping[str, Any]) -> str:
    """Return the name of a field in the line: not a reserved one, and without secrets."""
    name = encodable(sanitizer.text(str.__str__(key)))
    if name in RESERVED:
        name = f"extra_{name}"
    while name != key and name in given:
        name = f"extra_{name}"
    return name


def clean_field(key: str, value: Any, sanitizer: Sanitizer) -> Any:
    """Return the value of one field, ready for JSON."""
    verdict = sanitizer.verdict(key)
    if verdict and (verdict == SECRET or type(value) not in SCALARS):
        return MARKER
    return sanitizer.jsonable(value)


def clean_bound(raw: Mapping[str, Any], sanitizer: Sanitizer) -> Record:
    """Return bound fields, ready for any line."""
    return {
        key if key == "correlation_id" else field_name(key, sanitizer, raw): clean_field(
            key, value, sanitizer
        )
        for key, value in raw.items()
    }


def stack(start: object, limit: int = 30) -> list[Record]:
    """Return where the call came from, innermost first, without our own frames."""
    if isinstance(start, str):  # standard logging renders it itself
        return [{"file": encodable(text_of(start)), "line": 0, "function": ""}]
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the only cheap way to the caller
    frames: list[Record] = []
    while frame is not None and len(frames) < limit:
        code = frame.f_code
        if not f"{frame.f_globals.get('__package__')}.".startswith(_OURS):
            frames.append(
                {"file": code.co_filename, "line": frame.f_lineno, "function": code.co_name}
            )
        frame = frame.f_back
    return frames
