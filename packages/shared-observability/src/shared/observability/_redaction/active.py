"""The active sanitizer: the one that bound fields, spans and reports are cleaned with."""

from __future__ import annotations

from .sanitizer import Sanitizer

_active: Sanitizer | None = None
_default: dict[str, Sanitizer] = {}


def get_sanitizer() -> Sanitizer:
    """Return the active sanitizer; a default one before any configuration."""
    active = _active or _default.get("")
    # One for all threads, and never in the place of one that another thread sets meanwhile.
    return active or _default.setdefault("", Sanitizer())


def set_sanitizer(sanitizer: Sanitizer | None) -> None:
    """Make a sanitizer the active one; None means the default one again."""
    global _active  # noqa: PLW0603 - the state of the process
    _active = sanitizer
