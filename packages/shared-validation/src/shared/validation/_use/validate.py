"""Validate a value or a dictionary, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal

from shared.core.checks import choice, refuse

from .._base.problems import Problems, render
from .._base.result import ValidationResult
from .._nodes.group import AllOf
from .._nodes.mapping import EXTRAS
from .._nodes.state import State, too_deep
from .._spec.parts import Builder

if TYPE_CHECKING:
    from .._nodes.node import Run

Extra = Literal["allow", "forbid", "drop"]

_MOST_KEPT: Final = 256


def validate(value: Any, *validators: Any, name: str = "") -> ValidationResult:
    """Check a value with every validator.

    Args:
        value: Any value; it is not changed.
        *validators: Validators, functions, types or schemas; all must pass.
        name: The value's name, with which paths begin. A value without a name may be a password:
            messages do not show it.

    Returns:
        The result, with all errors.

    Raises:
        TypeError: Something cannot check a value.

    Example:
        >>> from shared.validation import is_integer, max_value
        >>> validate(200, is_integer, max_value(120), name="age").errors[0].message
        'must be at most 120, not 200'
    """
    parts = Builder()
    run = parts.run(AllOf(validators))
    return _result(run, parts.recursive, value, name)


def validate_dict(
    data: Any,
    schema: Mapping[Any, Any],
    *,
    extra: Extra = "drop",
    partial: bool = False,
    strip: bool = False,
) -> ValidationResult:
    """Check a dictionary by a schema.

    The schema is compiled when it is first used, and again when it was changed. A `SchemaValidator`
    is a little faster.

    Args:
        data: The dictionary; it is not changed.
        schema: What each field must be: a validator, a function, a type, or a schema again.
        extra: What happens to fields that the schema does not name: "drop" leaves them out of
            `validated_data`, "allow" keeps them, "forbid" makes them errors.
        partial: Whether every field may be missing, as in an update.
        strip: Whether strings are checked and returned without white space at their ends. Secret
            fields are not.

    Returns:
        The result. All errors are in the order of the schema; `validated_data` is a new dictionary.

    Raises:
        TypeError: The schema is not a dictionary, or something in it cannot check a value.
        ValueError: `extra` is not one of the three.

    Example:
        >>> from shared.validation import each, is_positive, min_length
        >>> schema = {"name": min_length(2), "items": each({"price": is_positive})}
        >>> result = validate_dict({"name": "J", "items": [{"price": 1}, {"price": 0}]}, schema)
        >>> for error in result.errors:
        ...     print(f"Error in {error.path}: {error.message}")
        Error in name: must be at least 2 characters long, not 1
        Error in items[1].price: must be above 0, not 0
    """
    key = (id(schema), extra, partial, strip)
    known = _kept.get(key)
    # The cache holds the schema: its id stays its own. A copy of it tells whether it was changed.
    if known is None or any(one != copy for one, copy in known[2]):
        known = _compiled(key, schema, extra, partial=partial, strip=strip)
    return _result(known[0], known[1], data, "")


# The function that checks, whether it is recursive, and every dictionary with a copy.
_Kept = tuple["Run", bool, list[tuple[Mapping[Any, Any], dict[Any, Any]]]]
_kept: dict[Any, _Kept] = {}


def _compiled(key: Any, schema: Any, extra: str, *, partial: bool, strip: bool) -> _Kept:
    if not isinstance(schema, Mapping):
        raise refuse("schema", "a dictionary", schema, TypeError)
    choice("extra", extra, EXTRAS)
    parts = Builder(extra, partial, strip)
    run = parts.run(schema)
    found = (run, parts.recursive, parts.dictionaries)
    while len(_kept) >= _MOST_KEPT:
        with suppress(
            KeyError, RuntimeError, StopIteration
        ):  # another thread was there at the same time
            del _kept[next(iter(_kept))]
    _kept[key] = found
    return found


def _result(run: Run, recursive: bool, value: Any, name: str) -> ValidationResult:
    try:
        result = run(value, State() if recursive else None)
    except RecursionError:
        result = too_deep(value)
    if type(result) is Problems:
        return ValidationResult(is_valid=False, errors=render(result, name))
    return ValidationResult(validated_data=result)
