"""Validators made of others. Each takes validators, functions, types and schemas."""

from __future__ import annotations

from typing import Any

from .._nodes.group import AllOf, AnyOf, Anything, NoneOf, Optional, Secret, When
from .._spec.parts import node_of
from .._spec.validator import Rule, Validator


def all_of(*specs: Any) -> Validator:
    """Return a check that all others pass; all their errors are reported.

    After a wrong type the rest is not asked: it could only fail.

    Args:
        *specs: Validators, functions, types or schemas.

    Returns:
        A validator. Of several schemas, `validated_data` holds the fields of all.

    Example:
        >>> from shared.validation import min_length
        >>> password = all_of(min_length(8), lambda s: any(c.isupper() for c in s))
        >>> password("Long enough"), password("short")
        (True, False)
    """
    return Rule(AllOf(_checked(specs)))


def any_of(*specs: Any) -> Validator:
    """Return a check that at least one other passes; the error explains why each failed.

    Args:
        *specs: Validators, functions, types or schemas; at least one.

    Returns:
        A validator. The errors of each branch are in `branches` of its error.

    Raises:
        TypeError: There is none.

    Example:
        >>> from shared.validation import is_ip, is_uuid
        >>> any_of(is_ip, is_uuid).validate("x").errors[0].message
        'must be an IP address; or must be a UUID'
    """
    if not specs:
        raise TypeError("any_of needs at least one validator: nothing could pass")
    return Rule(AnyOf(_checked(specs)))


def none_of(*specs: Any) -> Validator:
    """Return a check that no other passes.

    Args:
        *specs: Validators, functions, types or schemas.

    Returns:
        A validator.

    Example:
        >>> from shared.validation import one_of
        >>> none_of(one_of("root", "admin")).validate("root").errors[0].message
        "must be other than one of 'root', 'admin'"
    """
    return Rule(NoneOf(_checked(specs)))


def not_(spec: Any) -> Validator:
    """Return a check that another does not pass.

    Args:
        spec: A validator, function, type or schema.

    Returns:
        A validator.

    Example:
        >>> from shared.validation import is_string
        >>> not_(is_string)(5)
        True
    """
    return none_of(spec)


def optional(spec: Any) -> Validator:
    """Return a check that also accepts None; in a schema the field may be missing.

    Args:
        spec: A validator, function, type or schema.

    Returns:
        A validator.

    Example:
        >>> from shared.validation import is_integer, validate_dict
        >>> validate_dict({}, {"age": optional(is_integer)}).is_valid
        True
    """
    return Rule(Optional(*_checked((spec,))))


def when(condition: Any, then: Any, otherwise: Any = None) -> Validator:
    """Return a check that depends on the value: `then` if it passes `condition`, else `otherwise`.

    Args:
        condition: A validator, function, type or schema.
        then: The same.
        otherwise: The same. None: anything passes.

    Returns:
        A validator.

    Example:
        >>> from shared.validation import is_ip, is_string, one_of
        >>> target = all_of(
        ...     {"kind": one_of("ip", "name"), "to": is_string},
        ...     when({"kind": one_of("ip")}, {"to": is_ip}),
        ... )
        >>> target({"kind": "ip", "to": "::1"}), target({"kind": "ip", "to": "home"})
        (True, False)
    """
    otherwise = Anything() if otherwise is None else otherwise
    return Rule(When(*_checked((condition, then, otherwise))))


def secret(spec: Any) -> Validator:
    """Return the same check for a value that must show in no error.

    Fields with names like `password`, `api_key` and `token` are secret without it.

    Args:
        spec: A validator, function, type or schema.

    Returns:
        A validator.

    Example:
        >>> from shared.validation import matches_pattern, validate_dict
        >>> schema = {"pin": secret(matches_pattern("[0-9]{4}"))}
        >>> validate_dict({"pin": "abc"}, schema).errors[0].message
        "must be text like '[0-9]{4}', not [REDACTED]"
    """
    return Rule(Secret(*_checked((spec,))))


def _checked(specs: tuple[Any, ...]) -> tuple[Any, ...]:
    for spec in specs:
        node_of(spec)  # a TypeError now, where the mistake is
    return specs
