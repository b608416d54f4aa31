"""The text format: one line for people, which a program can still parse.

    2026-01-31T12:00:00.000000Z INFO     app.orders order placed order_id=7 customer="Ada L."

Time, level, logger, message, then `key=value` fields. A message with `=`, quotes or characters
that do not print is written as a JSON string, and so is every value that is not one plain word.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from .encode import escape_char, stamp_of

if TYPE_CHECKING:
    from .._record.fields import Record

_WORD: Final = re.compile(r"[A-Za-z0-9_.:/@+*%,;-]+\Z")
_FIRST: Final = ("timestamp", "level", "logger", "message")


def encode_text(record: Record) -> bytes:
    """Return one line of text; nothing in it can break or colour the line."""
    moment = record["timestamp"]
    message = record["message"]
    if not message or "=" in message or '"' in message or not message.isprintable():
        message = _quote(message)
    parts = [
        stamp_of(moment) if isinstance(moment, datetime) else moment,
        f"{record['level'].upper():<8}",
        _name(record["logger"]),
        message,
    ]
    parts += [f"{_name(key)}={_value(record[key])}" for key in record if key not in _FIRST]
    return (" ".join(parts) + "\n").encode()


def _name(name: str) -> str:
    return name if _WORD.match(name) else _quote(name)


def _value(value: Any) -> str:
    return value if type(value) is str and _WORD.match(value) else _quote(value)


def _quote(value: Any) -> str:
    quoted = orjson.dumps(value).decode()
    if quoted.isprintable():
        return quoted
    return "".join(c if c.isprintable() else escape_char(c) for c in quoted)
