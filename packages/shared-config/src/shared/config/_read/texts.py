"""The forms of text that a variable may have: lists, pairs, times and words."""

from __future__ import annotations

import json
import re
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .variables import types_in

if TYPE_CHECKING:
    from .variables import Variable

__all__ = ["parse"]

# White space around these means nothing.
_TRIMMED = (int, float, Decimal, date, time, timedelta, UUID, Enum, NoneType)
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TIMES = re.compile(r"(?:\d+(?:\.\d+)?(?:us|ms|s|m|h|d|w))+", re.IGNORECASE)
_ONE_TIME = re.compile(r"(\d+(?:\.\d+)?)([a-z]+)")
_SECONDS = re.compile(r"[+-]?\d+(?:\.\d+)?")
_ADDRESS = re.compile(r"\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[^\]\s,]+)?\](?::\d+)?(?:\s*,|\s*\Z)")


def parse(variable: Variable, text: str) -> Any:
    """Return what pydantic accepts for the field.

    Raises:
        ValueError: The text has none of the forms; the message states them, without the text.
    """
    if variable.shape == "text":
        return _value(variable, text)
    if text.lstrip().startswith(("[", "{")):
        try:
            return json.loads(text)
        except ValueError:
            pass
        if variable.shape != "list" or not _ADDRESS.match(text.lstrip()):
            raise ValueError(_allowed(variable))
    if variable.shape == "list":
        return [_value(variable, part.strip()) for part in text.split(",") if part.strip()]
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if variable.shape != "mapping" or not all(equals and key.strip() for key, equals, _ in pairs):
        raise ValueError(_allowed(variable))
    return {key.strip(): _value(variable, value.strip()) for key, _, value in pairs}


def _allowed(variable: Variable) -> str:
    forms = {"list": " or a list with commas", "mapping": " or KEY=VALUE pairs with commas"}
    return f"is not JSON{forms.get(variable.shape, '')}"


def _value(variable: Variable, text: str) -> Any:
    kinds = types_in(variable.field.annotation)
    if timedelta in kinds and (found := _duration(text.strip())) is not None:
        return found
    return text.strip() if all(issubclass(kind, _TRIMMED) for kind in kinds) else text


def _duration(text: str) -> timedelta | None:
    """Read `30`, `1.5`, `5m` or `1h30m`; None for other forms, which pydantic knows."""
    compact = "".join(text.split()).lower()
    try:
        if _SECONDS.fullmatch(text):
            return timedelta(seconds=float(text))
        if _TIMES.fullmatch(compact):
            parts = _ONE_TIME.findall(compact)
            return timedelta(seconds=sum(float(n) * _UNITS[unit] for n, unit in parts))
    except OverflowError:
        pass
    return None
