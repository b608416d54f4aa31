"""The text of any value: never raises, never without end, always encodable."""

from __future__ import annotations

from typing import Final

MAX_TEXT: Final = 16_384  # characters of one text
SCALARS: Final = frozenset({int, float, bool, type(None)})


def cut(text: str) -> str:
    """Return the text, or its beginning and a marker that says how much is missing."""
    if len(text) <= MAX_TEXT:
        return text
    return f"{text[:MAX_TEXT]}...[cut {len(text) - MAX_TEXT} characters]"


def text_of(value: object) -> str:
    """Return `str(value)`, whatever its `__str__` does; bytes are decoded."""
    try:
        text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
        text = str.__str__(text)  # an exact str, also of a subclass
    except ValueError:  # int too large for decimal digits
        text = hex(value) if isinstance(value, int) else unprintable(value)
    except Exception:  # noqa: BLE001 - a log line must not fail because of what it shows
        text = unprintable(value)
    return cut(text)


def unprintable(value: object) -> str:
    """Return the stand-in for a value without a text."""
    return f"<unprintable {type(value).__name__}>"


def encodable(text: str) -> str:
    """Return the text with lone surrogates escaped, so that it can be encoded as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
