"""JSON as bytes, with errors that say where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shared.core.checks import refuse

from .errors import InvalidJSON

if TYPE_CHECKING:
    from collections.abc import Callable


def render(
    value: Any,
    name: str,
    *,
    indent: int | None = None,
    sort_keys: bool = False,
    default: Callable[[Any], Any] | None = None,
) -> bytes:
    """Return a value as JSON in UTF-8.

    Raises:
        TypeError: There is no JSON for a part of it, and no `default`.
        InvalidJSON: NaN, infinity, a circle, or nested too deeply.
    """
    options: dict[str, Any] = {
        "allow_nan": False,
        "default": default,
        "indent": indent,
        "separators": (",", ":") if indent is None else (",", ": "),
        "sort_keys": sort_keys,
    }
    try:
        try:
            return json.dumps(value, ensure_ascii=False, **options).encode()
        except UnicodeEncodeError:  # half of a pair of surrogates
            return json.dumps(value, **options).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidJSON(name, str(error)) from None


def parse(data: bytes, name: str) -> Any:
    """Return the value of JSON in UTF-8, UTF-16 or UTF-32.

    Raises:
        InvalidJSON: It is not JSON; with line and column.
    """
    try:
        return json.loads(data.decode(json.detect_encoding(data)))
    except json.JSONDecodeError as error:
        raise InvalidJSON(name, error.msg, error.lineno, error.colno) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise InvalidJSON(name, f"not {error.encoding}", line, column) from None
    except RecursionError:
        raise InvalidJSON(name, "nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise InvalidJSON(name, str(error)) from None


def convert(value: Any, kind: Any, name: str) -> Any:
    """Return a parsed value as `kind`: a pydantic model, a dataclass, a class, or any callable."""
    if hasattr(kind, "model_validate"):
        return kind.model_validate(value)
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        if not isinstance(value, dict):
            raise refuse(name, f"an object of JSON for {kind.__name__}", value, TypeError)
        return kind(**value)
    if isinstance(kind, type):
        if isinstance(value, kind) and not (isinstance(value, bool) and kind is int):
            return value
        raise refuse(name, f"JSON for {kind.__name__}", value, TypeError)
    return kind(value)
