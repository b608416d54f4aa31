"""The active sanitizer: the one that bound fields, spans and reports are cleaned with."""

from __future__ import annotations

from .sanitizer import Sanitizer

_active: Sanitizer | None = None


def get_sanitizer() -> Sanitizer:
    """Return the active sanitizer; a default one before any configuration."""
    global _active  # noqa: PLW0603 - the state of the process
    if _active is None:
        _active = Sanitizer()
    return _active


def set_sanitizer(sanitizer: Sanitizer | None) -> None:
    """Make a sanitizer the active one; None means the default one again."""
    global _active  # noqa: PLW0603 - the state of the process
    _active = sanitizer
