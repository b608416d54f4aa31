"""Numbers that callers give us."""

from __future__ import annotations


def check_integer(name: str, value: object, least: int, most: int | None = None) -> None:
    """Raise a ValueError that names the argument unless it is an integer in the range."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int)
        or value < least
        or (most is not None and value > most)
    ):
        allowed = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} must be an integer {allowed}, not {value!r}")


def check_positive(name: str, value: object) -> None:
    """Raise a ValueError that names the argument unless it is a number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f"{name} must be a number above 0, not {value!r}")


def check_share(name: str, value: object) -> None:
    """Raise a ValueError that names the argument unless it is a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}")
