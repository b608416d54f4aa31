"""Which exceptions a policy is about: a class, several classes, or a predicate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from shared.core.checks import refuse

from .complaints import complain

Exceptions: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


def which(default: Exceptions, **given: Exceptions | None) -> Exceptions:
    """Return the exceptions that an argument means, whose names are those of `given`.

    Classes come back as a tuple.

    Args:
        default: Returned if all are `None`.
        **given: The argument under its names.

    Raises:
        ValueError: It was passed under two names, or names exits.
        TypeError: It is neither exception classes nor a predicate.
    """
    passed = [name for name, value in given.items() if value is not None]
    if not passed:
        return (default,) if isinstance(default, type) else default
    if len(passed) > 1:
        raise ValueError(f"{' and '.join(passed)} are the same argument: pass one of them")
    return _checked(passed[0], given[passed[0]])


def _checked(name: str, value: Any) -> Exceptions:
    if isinstance(value, type):
        value = (value,)
    if isinstance(value, (list, set, frozenset)):
        value = tuple(value)
    if not isinstance(value, tuple):
        if callable(value):
            return value  # type: ignore[no-any-return]
        raise refuse(name, "exception classes or a predicate", value, TypeError)
    for kind in value:
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise refuse(name, "exception classes", kind, TypeError)
        if not issubclass(kind, Exception):
            # Cancellations and exits are never failures.
            raise refuse(name, "subclasses of Exception", kind)
    return value


def matcher(exceptions: Exceptions, *, if_broken: bool = False) -> Callable[[Exception], bool]:
    """Return a predicate for what `which` returned.

    A user's predicate that raises is logged, and answers `if_broken`: the caller of the protected
    code wants its own failure.
    """
    if isinstance(exceptions, tuple):
        kinds = exceptions
        return lambda exc: isinstance(exc, kinds)
    asked: Any = exceptions

    def matches(exc: Exception) -> bool:
        try:
            return bool(asked(exc))
        except Exception as problem:  # noqa: BLE001 - Ctrl-C goes through
            complain("predicate", asked, problem)
            return if_broken

    return matches
