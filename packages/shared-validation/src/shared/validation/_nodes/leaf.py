"""A check of one value by one function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._base.problems import Problem, Problems, wrong_type
from .._checks import kinds
from .node import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from .node import Document, Parts, Run
    from .state import State


class Kind(NamedTuple):
    """What a value must be before the check itself makes sense."""

    what: str
    test: Callable[[Any], bool]
    type: str  # of JSON Schema


STRING = Kind("a string", kinds.is_string, "string")
TEXT = Kind("a string", kinds.is_text, "string")
NUMBER = Kind("a number", kinds.is_number, "number")
ITEMS = Kind("a list", kinds.is_items, "array")
COUNTED = Kind("a list or a dictionary", kinds.is_collection, "")
ANY = Kind("anything", lambda _value: True, "")


class Leaf(Node):
    """A check of one value.

    Args:
        test: The check; it raises nothing, whatever the value.
        what: Completes "must be ...".
        code: The code of a failure, "type" if it is one of type alone.
        kind: What the value must be.
        context: The limits named in `what`.
        json: The keywords of JSON Schema; None if it has none.
        exact: Whether the keywords say exactly what the test does.
        got: Describes a value that failed, such as by its length.
        accepts: Types whose own instances always pass.
    """

    raises = False  # whether the test may raise, and only `build` knows what to do then

    __slots__ = ("_exact", "_json", "_what", "accepts", "code", "context", "got", "kind", "test")

    def __init__(
        self,
        test: Callable[[Any], bool],
        what: str,
        code: str = "invalid",
        *,
        kind: Kind = ANY,
        context: dict[str, Any] | None = None,
        json: dict[str, Any] | None = None,
        exact: bool = True,
        got: Callable[[Any], str] | None = None,
        accepts: tuple[type, ...] = (),
    ) -> None:
        self.accepts = accepts
        self.test = test
        self.code = code
        self.kind = kind
        self.context = context
        self.got = got
        self._what = what
        self._json = json
        self._exact = exact

    def build(self, _parts: Parts) -> Run:
        test, fail = self.test, self.fail

        def run(value: Any, _state: State | None) -> Any:
            return value if test(value) else fail(value)

        return run

    def fail(self, value: Any) -> Problems:
        """Return the problem of a value for which the test said no."""
        if self.code == "type":
            return wrong_type(self._what, value)
        if not self.kind.test(value):
            return wrong_type(self.kind.what, value)
        got = None if self.got is None else self.got(value)
        return Problems([Problem(self.code, self._what, value, got=got, context=self.context)])

    def json(self, _parts: Parts) -> Document:
        if self._json is None:
            return ({"type": self.kind.type}, False) if self.kind.type else ({}, False)
        if self.kind.type and "type" not in self._json:
            return {"type": self.kind.type, **self._json}, self._exact
        return dict(self._json), self._exact

    def what(self, _parts: Parts) -> str:
        return self._what


def of_type(
    test: Callable[[Any], bool],
    what: str,
    json: dict[str, Any] | None = None,
    *accepts: type,
    exact: bool = True,
) -> Leaf:
    """Return a check of type alone."""
    return Leaf(test, what, "type", json=json, exact=exact and bool(json), accepts=accepts)
