"""Fields and messages ready for a line: names that step aside, values without secrets."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ._clean import SCALARS, encodable, text_of
from ._secrets import MARKER, SECRET
from ._state import get_sanitizer

if TYPE_CHECKING:
    from types import FrameType

    from ._clean import Sanitizer

Record = dict[str, Any]
RESERVED: Final = frozenset(
    [
        *("timestamp", "level", "logger", "message", "module", "function", "line", "exception"),
        *("trace_id", "span_id", "correlation_id", "service"),
    ]
)


def interpolate(event: Any, args: tuple[Any, ...], sanitizer: Sanitizer) -> str:
    """`event % args`, the containers and objects among the arguments cleaned first."""
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
    """The name of a field in the line: reserved names step aside, secrets in names go."""
    name = encodable(sanitizer.text(str.__str__(key)))
    if name in RESERVED:
        name = f"extra_{name}"
    while name != key and name in given:
        name = f"extra_{name}"
    return name


def clean_field(key: str, value: Any, sanitizer: Sanitizer) -> Any:
    """The value of one field, ready for JSON."""
    verdict = sanitizer.verdict(key)
    if verdict and (verdict == SECRET or type(value) not in SCALARS):
        return MARKER
    return sanitizer.jsonable(value)


def clean_bound(raw: Mapping[str, Any]) -> Record:
    """Bound fields, ready to be put into any line."""
    sanitizer = get_sanitizer()
    return {
        key if key == "correlation_id" else field_name(key, sanitizer, raw): clean_field(
            key, value, sanitizer
        )
        for key, value in raw.items()
    }


def stack(start: object, limit: int = 30) -> list[Record]:
    """Where the call came from, innermost first, without our own frames."""
    if isinstance(start, str):  # standard logging renders it itself
        return [{"file": encodable(text_of(start)), "line": 0, "function": ""}]
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
    frames: list[Record] = []
    while frame is not None and len(frames) < limit:
        code = frame.f_code
        if frame.f_globals.get("__package__") != __package__:
            frames.append(
                {"file": code.co_filename, "line": frame.f_lineno, "function": code.co_name}
            )
        frame = frame.f_back
    return frames
