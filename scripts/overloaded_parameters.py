"""For the API pages: a function that takes `*args` for its overloads is shown as the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from griffe import Extension

if TYPE_CHECKING:
    from griffe import Function


class OverloadedParameters(Extension):
    """The docstring describes what callers may pass, which only the overloads name."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        """Give the implementation the parameters of its first overload."""
        if func.overloads and "args" in func.parameters:
            func.parameters = func.overloads[0].parameters
