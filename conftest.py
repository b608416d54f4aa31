"""Doctests of public names: these bear their package's name; their doctests run where they stand."""

import doctest
import sys
from types import FunctionType
from typing import Any


class _Finder(doctest.DocTestFinder):
    def _from_module(self, module: Any, object: Any) -> bool:  # noqa: A002 - doctest's name
        if isinstance(object, (type, FunctionType)) and module is not None:
            package = sys.modules.get(object.__module__)
            homes = getattr(getattr(package, "__getattr__", None), "homes", {})
            if object.__qualname__ in homes:
                return bool(homes[object.__qualname__] == module.__name__)
        return super()._from_module(module, object)  # type: ignore[misc, no-any-return]


# pytest makes its own finder out of this one when it collects.
doctest.DocTestFinder = _Finder  # type: ignore[misc]
