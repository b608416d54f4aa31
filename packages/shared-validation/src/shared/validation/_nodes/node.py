"""What every part of a validator can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from .state import State

# Takes a value and returns the value to use, or `Problems`.
Run = Callable[[Any, "State | None"], Any]
# A JSON Schema, and whether it says exactly what the node checks.
Document = tuple[dict[str, Any], bool]

UNKNOWN: Final[Document] = ({}, False)


class Parts(Protocol):
    """What the parts of a part are, with the options of the validation around them."""

    extra: str
    partial: bool
    strip: bool
    owner: type | None

    def varied(self, **options: Any) -> Parts:
        """Return the same with other options."""
        ...

    def node(self, spec: Any) -> Node:
        """Return what stands in a schema as a node."""
        ...

    def run(self, spec: Any) -> Run:
        """Return the function that checks a value against what stands in a schema."""
        ...

    def json(self, spec: Any) -> Document:
        """Return the JSON Schema of what stands in a schema."""
        ...

    def what(self, spec: Any) -> str:
        """Return what completes "must be ..."."""
        ...


class Node:
    """A part of a validator."""

    __slots__ = ()

    def optional(self, _parts: Parts, /) -> bool:
        """Whether a field with this part may be missing."""
        return False

    def build(self, parts: Parts, /) -> Run:
        """Return the function that checks."""
        raise NotImplementedError

    def json(self, _parts: Parts, /) -> Document:
        """Return a JSON Schema that accepts at least what this accepts."""
        return UNKNOWN

    def what(self, _parts: Parts, /) -> str:
        """Return what completes "must be ..."."""
        return "valid"
