"""What may stand in a schema, and how it becomes one function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.core.checks import shown

from .._nodes.call import Call
from .._nodes.leaf import Leaf
from .._nodes.mapping import Fields
from .._nodes.node import Node
from .._nodes.state import Again
from .._types.annotations import annotated, is_annotation

if TYPE_CHECKING:
    from .._nodes.node import Document, Run


def node_of(spec: Any) -> Node:
    """Return what stands in a schema as a node.

    Raises:
        TypeError: It is not a validator, a dictionary, a type or a plain function.
    """
    if isinstance(spec, Node):
        return spec
    if not isinstance(spec, type) and hasattr(spec, "__node__"):
        found: Node = spec.__node__
        return found
    if isinstance(spec, Mapping):
        return Fields(spec)
    if is_annotation(spec):
        return annotated(spec)
    if callable(spec):
        return Call(spec)
    hint = ""
    if isinstance(spec, (list, set, tuple)):
        hint = "; a list of them is each(...), a choice is one_of(...)"
    raise TypeError(
        f"a schema must hold validators, functions, types and dictionaries, not {shown(spec)}{hint}"
    )


class _Work:
    """What all parts of one build share."""

    def __init__(self) -> None:
        self.nodes: dict[int, tuple[Any, Node]] = {}  # with the spec: its id stays its own
        self.runs: dict[Any, Run | Again] = {}
        self.documents: dict[Any, str | None] = {}
        self.definitions: dict[str, dict[str, Any]] = {}
        self.recursive = False


class Builder:
    """The parts of what is built, with the options around them: `Parts` in full."""

    __slots__ = ("_options", "_work", "extra", "owner", "partial", "strip")

    def __init__(
        self,
        extra: str = "drop",
        partial: bool = False,
        strip: bool = False,
        owner: type | None = None,
        *,
        work: _Work | None = None,
    ) -> None:
        self.extra = extra
        self.partial = partial
        self.strip = strip
        self.owner = owner
        self._options = (extra, partial, strip, owner)
        self._work = work or _Work()

    @property
    def recursive(self) -> bool:
        """Whether something that was built contains itself."""
        return self._work.recursive

    @property
    def definitions(self) -> dict[str, dict[str, Any]]:
        """The JSON Schemas of what contains itself, by name."""
        return self._work.definitions

    @property
    def dictionaries(self) -> list[tuple[Mapping[Any, Any], dict[Any, Any]]]:
        """The dictionaries that were read, each with a copy of what it held then."""
        return [
            (spec, dict(spec)) for spec, _ in self._work.nodes.values() if isinstance(spec, Mapping)
        ]

    def varied(self, **options: Any) -> Builder:
        """Return the same with other options."""
        if all(getattr(self, name) == value for name, value in options.items()):
            return self
        names = ("extra", "partial", "strip", "owner")
        return Builder(*(options.get(name, getattr(self, name)) for name in names), work=self._work)

    def node(self, spec: Any) -> Node:
        """Return what stands in a schema as a node."""
        known = self._work.nodes.get(id(spec))
        if known is None:
            known = self._work.nodes[id(spec)] = (spec, node_of(spec))
        return known[1]

    def run(self, spec: Any) -> Run:
        """Return the function that checks; for what is being built already, one that waits for it."""
        node = self.node(spec)
        if isinstance(node, Leaf):
            check = node.build(self)
            return _stripping(check) if self.strip else check
        key = (id(spec), self._options)
        known = self._work.runs.get(key)
        if isinstance(known, Again):
            self._work.recursive = True
            return known.run
        if known is not None:
            return known
        again = self._work.runs[key] = Again()
        check = node.build(self)
        if self.strip and isinstance(node, Call):
            check = _stripping(check)
        again.check = check
        self._work.runs[key] = check
        return check

    def json(self, spec: Any) -> Document:
        """Return the JSON Schema; of what contains itself a reference, which counts as exact."""
        node = self.node(spec)
        if isinstance(node, Leaf):
            return node.json(self)
        key = (id(spec), self.extra, self.partial)
        if key in self._work.documents:
            name = self._work.documents[key] or f"schema{len(self.definitions) + 1}"
            self._work.documents[key] = name
            self.definitions.setdefault(name, {})
            return {"$ref": f"#/$defs/{name}"}, False
        self._work.documents[key] = None
        document, exact = node.json(self)
        defined = self._work.documents.pop(key)
        if defined is None:
            return document, exact
        self._work.documents[key] = defined
        self.definitions[defined] = document
        return {"$ref": f"#/$defs/{defined}"}, exact

    def what(self, spec: Any) -> str:
        """Return what completes "must be ..."."""
        return self.node(spec).what(self)


def _stripping(check: Run) -> Run:
    def run(value: Any, state: Any) -> Any:
        return check(value.strip() if isinstance(value, str) else value, state)

    return run
