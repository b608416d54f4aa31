"""Arguments are checked where an object is made, never at its first call."""

from __future__ import annotations

import math
from typing import TypeVar

T = TypeVar("T")


def number(
    name: str,
    value: float,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> float:
    """Return ``value`` as a finite float in the range, or raise naming the argument."""
    allowed = _allowed("a finite number", above, least, most)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {allowed}, not {value!r}")
    if (
        not math.isfinite(value)
        or (above is not None and value <= above)
        or (least is not None and value < least)
        or (most is not None and value > most)
    ):
        raise ValueError(f"{name} must be {allowed}, not {value!r}")
    return float(value)


def whole(name: str, value: int, *, least: int = 1) -> int:
    """Return ``value`` as an int of at least ``least``, or raise naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, float):
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")  # noqa: TRY004  the type is right, the value is not
        raise TypeError(f"{name} must be a whole number of at least {least}, not {value!r}")
    if value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return value


def text(name: str, value: str) -> str:
    """Return ``value`` if it is a string, or raise naming the argument."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {value!r}")
    return value


def function(name: str, value: T, *, needed: bool = True) -> T:
    """Return ``value`` if it can be called (or is not given and not needed), or raise."""
    if not callable(value) and (needed or value is not None):
        raise TypeError(f"{name} must be callable{'' if needed else ' or None'}, not {value!r}")
    return value


def choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``allowed``, or raise naming the argument."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
    return value


def _allowed(what: str, above: float | None, least: float | None, most: float | None) -> str:
    if above is not None:
        what += f" above {above:g}"
    if least is not None:
        what += f" of at least {least:g}"
    if most is not None:
        what += f" of at most {most:g}"
    return what
