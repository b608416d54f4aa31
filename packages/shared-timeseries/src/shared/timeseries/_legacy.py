"""Names of arguments that code written for earlier packages uses."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Accept arguments under former names, each given as `former="current"`."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if not names.keys().isdisjoint(kwargs):
                return function(*args, **_current(kwargs))
            return function(*args, **kwargs)

        return call

    def _current(given: dict[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, value in given.items():
            current = names.get(name, name)
            if current in out or (current != name and current in given):
                raise TypeError(f"{current} is given twice: {name} is a former name of it")
            out[current] = value
        return out

    return decorate
