"""For the API pages: a function that takes `*args` for its overloads is shown with their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from griffe import Extension, Parameters

if TYPE_CHECKING:
    from griffe import Function


class OverloadedParameters(Extension):
    """Docstrings describe what callers may pass, which stands in the overloads alone."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        """Give the implementation every parameter of its overloads, in their order."""
        if func.overloads and "args" in func.parameters:
            named = {p.name: p for overload in reversed(func.overloads) for p in overload.parameters}
            first = [p.name for p in func.overloads[0].parameters]
            order = [*first, *(name for name in named if name not in first)]
            func.parameters = Parameters(*(named[name] for name in order))
